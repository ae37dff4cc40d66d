"""What a service refuses, whoever asks: the HTTP API answers with a problem, the kernel parks the message at once.

Codes are in kebab-case. Texts are shown to people and quote nothing of what was brought.
"""


class UnknownError(LookupError):
    """There is no such thing. `what` names the kind of thing, in words."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


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


class UnprocessableError(Exception):
    """A message can never be handled. `reason` says why, to operators."""

    def __init__(self, reason: str, code: str = "unprocessable") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
