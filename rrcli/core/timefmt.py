"""Instants and spans of time as text: RFC 3339 in UTC with a Z for machines, `in 3 d 4 h` for people."""

from datetime import UTC, datetime

from rrcli.errors import FieldError, InvalidInput

_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


def format_instant(instant: datetime) -> str:
    """`2025-01-05T12:00:00Z`; milliseconds only where they are not zero."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    spec = "milliseconds" if instant.microsecond >= 1000 else "seconds"
    return instant.isoformat("T", spec)[:-6] + "Z"


def parse_instant(text: str, *, field: str) -> datetime:
    """An RFC 3339 instant as an aware UTC datetime.

    Raises InvalidInput naming `field` for anything else, a time without offset included: guessing a zone
    would move calls.
    """
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        allowed = "must be a time with its offset, such as 2025-01-05T12:00:00Z"
        raise InvalidInput([FieldError(field=field, value=text, allowed=allowed)]) from None


def relative(instant: datetime, now: datetime) -> str:
    """`in 3 d 4 h`, `5 m 10 s ago`, `now`: two units, the largest ones."""
    seconds = round((instant - now).total_seconds())
    if seconds == 0:
        return "now"
    return f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"


def span(seconds: float) -> str:
    """A length of time in its two largest units: `3 d 4 h`, `1 m 30 s`, `250 ms`."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.2g} ms" if seconds < 0.0095 else f"{seconds * 1000:.0f} ms"
    if seconds < 59.5:
        return f"{seconds:.3g} s"
    rest = round(seconds)
    parts: list[str] = []
    for unit, size in _UNITS:
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])
