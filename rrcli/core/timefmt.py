"""Instants as text, RFC 3339 in UTC with a Z, as the API and the ledger's readers see them."""

from datetime import UTC, datetime

from rrcli.errors import FieldError, InvalidInput


def format_instant(instant: datetime) -> str:
    """`2025-01-05T12:00:00Z`; milliseconds only where they are not zero."""
    text = instant.astimezone(UTC).replace(tzinfo=None)
    spec = "milliseconds" if text.microsecond >= 1000 else "seconds"
    return f"{text.isoformat(timespec=spec)}Z"


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
