"""What a change of the clocks does to one occurrence."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from rrcli.core.recurrence import Recurrence
from rrcli.errors import InvalidRule

_FIRST_YEAR, _LAST_YEAR = 2, 9998
"""The day before and after must exist, too."""


def note(recurrence: Recurrence, instant: datetime) -> str | None:
    """A remark about an occurrence whose wall-clock time was skipped, or happens twice; mostly None."""
    if recurrence.timezone == "UTC" or not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        return None
    zone = ZoneInfo(recurrence.timezone)
    local = instant.astimezone(zone)
    other = local.replace(fold=1 - local.fold)
    if other.utcoffset() != local.utcoffset():
        which = "second" if local.fold else "first"
        return f"{which} of two {local:%H:%M}"
    nominal = _skipped(local, zone)
    if nominal and _has(recurrence, nominal) and not _has(recurrence, local.replace(tzinfo=None)):
        return f"moved: no {nominal:%H:%M} today"
    return None


def _skipped(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The wall-clock time that the clocks skipped on this day and that is `local` by the offset before."""
    day_before = (local.astimezone(UTC) - timedelta(days=1)).astimezone(zone)
    shift = (local.utcoffset() or timedelta()) - (day_before.utcoffset() or timedelta())
    if shift <= timedelta():
        return None
    nominal = local.replace(tzinfo=None) - shift
    back = nominal.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return nominal if back != nominal else None


def _has(recurrence: Recurrence, wall_clock: datetime) -> bool:
    """Whether the rule, read as wall-clock times without any zone, has this one."""
    floating = re.sub(r";TZID=[^:;\n]+", "", recurrence.text)
    try:
        at = wall_clock.replace(tzinfo=UTC)
        return Recurrence.parse(floating, timezone="UTC").after(at, inclusive=True) == at
    except InvalidRule:
        return False
