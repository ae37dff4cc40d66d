"""What commands and handlers refuse, whoever asks: the HTTP API answers with a problem, the kernel parks the record.

Every code is in kebab case and means the same over HTTP and in parking. No text quotes what was sent.
"""

from collections.abc import Sequence


class UnknownError(LookupError):
    """There is no such thing. The argument names the kind of thing, for people."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    @property
    def code(self) -> str:
        """The code under which a record about it is parked."""
        return f"unknown-{self.what.replace(' ', '-')}"


class RefusedError(ValueError):
    """What was brought is refused. `pointer` is the JSON pointer of the field, `code` says why.

    `fields`: the pointers and codes where several fields are wrong at once; `pointer` is then that of the whole.
    """

    def __init__(self, pointer: str, code: str, text: str, fields: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(text)
        self.pointer = pointer
        self.code = code
        self.text = text
        self.fields = tuple(fields) or ((pointer, code),)


class ConflictError(Exception):
    """The act does not fit the state; nothing was changed. `code` says why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class ForbiddenError(Exception):
    """The caller may not do this. `code` says why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class UnprocessableError(Exception):
    """Raised by a handler for a record that can never succeed: it is parked at once, with this reason.

    The reason is shown to operators and must quote nothing from the record.
    """

    def __init__(self, reason: str, code: str = "unprocessable") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
