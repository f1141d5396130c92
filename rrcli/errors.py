"""Every error that this product raises on purpose, under one root.

`code` is the stable word that the API answers and scripts may test for; `retryable`
says whether the same call may succeed later without any change to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from reprlib import Repr
from typing import ClassVar

_SHOWN = 80


class Absent(Enum):
    """Stands where no value came at all, which is not the same as null."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
_WORDS = {id(None): "null", id(True): "true", id(False): "false"}
"""As they are written in JSON and YAML, not as Python says it."""

# Bounded in depth and width: what was refused may be nested, or may hold itself, a million times over.
_brief = Repr()
_brief.maxlevel = 3
_brief.maxstring = _brief.maxother = _brief.maxlong = _SHOWN
_brief.maxdict = _brief.maxlist = _brief.maxtuple = 20


class SchedulerError(Exception):
    """Root of all deliberate errors: one sentence, and a hint that says what to do next."""

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldError:
    """One refused field: its dotted name, the value that came (or ABSENT), and what is allowed."""

    field: str
    value: object
    allowed: str

    def sentence(self) -> str:
        """`field: allowed (got value)`, the value shortened to 80 characters, if one came."""
        got = "" if self.value is ABSENT else f" (got {_shortened(self.value)})"
        return f"{self.field}: {self.allowed}{got}"


def _shortened(value: object) -> str:
    if id(value) in _WORDS:
        return _WORDS[id(value)]
    try:
        shown = repr(value[:_SHOWN]) if isinstance(value, str) else _brief.repr(value)
    except (ValueError, RecursionError):  # Python writes no integer of more than 4300 digits
        shown = f"{type(value).__name__} too large to show"
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + "..."


class InvalidInput(SchedulerError):
    """One or more fields of a request were refused; all of them are listed."""

    code = "validation_failed"

    def __init__(self, fields: Sequence[FieldError], *, hint: str | None = None) -> None:
        super().__init__("; ".join(field.sentence() for field in fields), hint=hint)
        self.fields = tuple(fields)


class InvalidRule(SchedulerError, ValueError):
    """A recurrence text that cannot be accepted.

    `part` is the property or rule part at fault (`BYDAY`, `DTSTART`, `RRULE`), `value` what
    stood there, `position` its zero-based offset in characters in the text that was given
    (None where it has no single place, such as a rule that never occurs), `hint` the rule
    that would say it right when there is one.
    """

    code = "validation_failed"

    def __init__(
        self,
        message: str,
        *,
        part: str,
        value: str,
        position: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.part = part
        self.value = value
        self.position = position


class MalformedRequest(SchedulerError):
    """A request that cannot be read at all: not JSON, not UTF-8, an id of the wrong form."""

    code = "invalid_request"


class NotFound(SchedulerError):
    """Nothing exists under the given id or name."""

    code = "not_found"


class Conflict(SchedulerError):
    """The stored state does not allow the change: a stale revision, a name used twice."""

    code = "conflict"


class StoreUnavailable(SchedulerError):
    """A server or file of the store cannot be reached now; the driver's error is the cause."""

    code = "database_error"
    retryable = True


class Unstorable(MalformedRequest):
    """A value that no store can hold or look for: half a surrogate pair, a number beyond 64 bits."""

    def __init__(self, cause: Exception) -> None:
        what = "text with half a surrogate pair" if isinstance(cause, UnicodeError) else "so large a number"
        super().__init__(f"No store can hold or look for {what}.")


class StoreCorrupt(SchedulerError):
    """The store answered, with something this version cannot read."""

    code = "database_error"


class StoreNeeded(SchedulerError):
    """What was asked for is done on this machine or on the store itself: no service does it for others."""

    code = "store_needed"

    def __init__(self, what: str = "This") -> None:
        super().__init__(
            f"{what} works where the store is, and commands go to a server.",
            hint="Run it on a machine that has the store, without --server and environment RRCLI_SERVER.",
        )


class InvalidSettings(SchedulerError):
    """A setting was refused: the message names the source, the key, the value and what is allowed."""

    code = "invalid_settings"
