"""Instants and durations: as people write them on a command line, and as they are shown."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from rrcli.core.timefmt import parse_instant
from rrcli.core.timefmt import relative as relative
from rrcli.core.timefmt import span as span
from rrcli.errors import FieldError, InvalidInput

_FIRST_YEAR, _LAST_YEAR = 1900, 9998
_WITH_OFFSET = "a time with its offset, such as 2025-01-05T12:00:00Z, or now, or +10m"
_ON_CLOCK = "a time such as 2025-01-05T12:00:00Z or 2025-01-05T12:00, a date, now, or +10m"
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:d|h|m|s|ms)\s*)+")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|d|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(text: str) -> float | None:
    """Seconds that `90`, `1.5`, `10m` or `1h30m` stand for; None for anything else."""
    text = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if _DURATION.fullmatch(text):
        return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    return None


def instant_of(text: str, *, field: str, now: datetime, form: str = _WITH_OFFSET) -> datetime:
    """The instant (UTC) of `now`, `+10m`, or a time with its offset.

    Raises InvalidInput naming `field`, and the `form` that it must have.
    """
    text = text.strip()
    if text.lower() == "now":
        return now
    seconds = seconds_of(text[1:]) if text.startswith("+") else None
    if seconds is not None:
        return _bounded(lambda: now + timedelta(seconds=seconds), text, field)
    try:
        found = parse_instant(text, field=field)
    except InvalidInput:
        raise InvalidInput([FieldError(field=field, value=text, allowed=f"must be {form}")]) from None
    return _bounded(lambda: found, text, field)


def instant_on_clock(text: str, *, field: str, now: datetime, zone: tzinfo | None) -> datetime:
    """As `instant_of`; a time without offset is on the clock of `zone` (None: the machine's)."""
    naive = naive_of(text)
    if naive is None:
        return instant_of(text, field=field, now=now, form=_ON_CLOCK)
    return _bounded(lambda: (naive.replace(tzinfo=zone) if zone else naive).astimezone(UTC), text, field)


def _bounded(make: Callable[[], datetime], text: str, field: str) -> datetime:
    """The instant, if a calendar of any zone can hold it and the days around it."""
    try:
        found = make()
        if _FIRST_YEAR <= found.year <= _LAST_YEAR:
            return found
    except (OverflowError, ValueError, OSError):
        pass
    allowed = f"must lie in the years {_FIRST_YEAR} to {_LAST_YEAR}"
    raise InvalidInput([FieldError(field=field, value=text, allowed=allowed)])


def naive_of(text: str) -> datetime | None:
    """The wall-clock time of a text without offset; None for anything else."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo is None else None


def on_clock(instant: datetime, zone: tzinfo | None) -> datetime:
    """The instant on the clock of `zone` (None: the machine's); in UTC on the last day that there is."""
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return instant


def absolute(instant: datetime, zone: tzinfo | None, *, seconds: bool = True) -> str:
    """`2026-11-24 08:30:00`, on the clock of `zone` (None: the machine's)."""
    return on_clock(instant, zone).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def with_offset(instant: datetime, zone: tzinfo | None) -> str:
    """`2026-11-24 08:30:00 +01:00`: the wall-clock time and what makes it an instant."""
    local = on_clock(instant, zone)
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:5]}"


def zone_name(zone: tzinfo | None, instant: datetime) -> str:
    """`Europe/Berlin`; for the machine's own zone its abbreviation, such as `CET`."""
    return str(getattr(zone, "key", None) or on_clock(instant, zone).strftime("%Z"))
