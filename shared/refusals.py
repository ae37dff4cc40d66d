"""What a service's commands refuse, whoever asks: the HTTP API answers with a problem, a message handler parks."""


class UnknownError(LookupError):
    """There is no such thing. The argument names the kind of thing, for people."""


class RefusedError(ValueError):
    """What was brought is refused. `pointer` says where, `code` why."""

    def __init__(self, pointer: str, code: str, text: str) -> None:
        super().__init__(text)
        self.pointer = pointer
        self.code = code
        self.text = text


class ConflictError(Exception):
    """The act does not fit the state; nothing was changed. `code` says why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
