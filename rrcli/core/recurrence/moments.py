"""Dates and times as RFC 5545 writes them (3.3.4, 3.3.5, 3.3.9), as wall seconds."""

import difflib
import importlib.resources
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfoNotFoundError

from rrcli.core.recurrence.calendar import DAY_SECONDS, FIRST_YEAR
from rrcli.core.recurrence.text import ContentLine, refuse
from rrcli.core.recurrence.zones import EPOCH, UTC_NAMES, WALL_EPOCH, Zone, zone_named

_MOMENT = re.compile(r"\d{8}(?:T\d{6}Z?)?", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(
    r"\+?P(?:\d{1,9}W|\d{1,9}D(?:T(?=\d)(?:\d{1,9}H)?(?:\d{1,9}M)?(?:\d{1,9}S)?)?"
    r"|T(?=\d)(?:\d{1,9}H)?(?:\d{1,9}M)?(?:\d{1,9}S)?)",
    re.ASCII | re.IGNORECASE,
)


class Moment(NamedTuple):
    """A date or date-time as written: wall seconds, whether it is a bare date, whether it is UTC."""

    wall: int
    is_date: bool = False
    is_utc: bool = False

    def __str__(self) -> str:
        return joined((self,))

    def instant(self, zone: Zone | None) -> int:
        """The instant in seconds: as UTC when it is UTC, otherwise on the clock of `zone`."""
        return self.wall if self.is_utc or zone is None else zone.instant(self.wall)


def joined(moments: Iterable[Moment]) -> str:
    """The moments as a text has them, with commas in between: there may be 10,000."""
    extended = ",".join(
        (WALL_EPOCH + timedelta(0, wall)).isoformat()[: 10 if is_date else 19] + ("Z" if is_utc else "")
        for wall, is_date, is_utc in moments
    )
    return extended.replace("-", "").replace(":", "")


def moment_of(value: str) -> Moment | None:
    """The date or date-time that a text is, None when it is neither or out of range."""
    match = _MOMENT.fullmatch(value)
    if match is None:
        return None
    try:
        local = datetime.fromisoformat(value[:15])
    except ValueError:
        return None
    if local.year < FIRST_YEAR:
        return None
    passed = local - WALL_EPOCH
    return Moment(passed.days * DAY_SECONDS + passed.seconds, len(value) == 8, len(value) == 16)


def read_moment(value: str, part: str, position: int) -> Moment:
    """`19970714`, `19970714T133000` or `19970714T173000Z`; years 1900 to 9999."""
    moment = moment_of(value)
    if moment is None:
        hint = "Write 20300131, 20300131T093000 or 20300131T093000Z"
        raise refuse(
            f"not a date or date-time of the years {FIRST_YEAR} to 9999", part, value, position, hint
        )
    return moment


def start_of_period(value: str, part: str, position: int) -> str:
    """The start of `start/end` or `start/duration` (RFC 5545 3.3.9)."""
    start, slash, end = value.partition("/")
    if not slash:
        raise refuse("not a period", part, value, position, "Write 20300131T090000Z/PT1H")
    if not _DURATION.fullmatch(end):
        read_moment(end, part, position + len(start) + 1)
    return start


def zone_of_line(line: ContentLine, allowed: tuple[str, ...]) -> tuple[str | None, str | None]:
    """The TZID (canonical) and the VALUE type of a property; other parameters are refused."""
    zone_name = kind = None
    for parameter in line.parameters:
        if parameter.name == "TZID":
            zone_name = known_zone(parameter.value, parameter.position)
        elif parameter.name == "VALUE" and parameter.value.upper() in allowed:
            kind = parameter.value.upper()
        else:
            raise refuse(
                f"the parameter is not accepted here; allowed are TZID and VALUE={'|'.join(allowed)}",
                line.name,
                f"{parameter.name}={parameter.value}",
                parameter.position,
            )
    return zone_name, kind


def known_zone(name: str, position: int | None) -> str:
    """The name of an IANA zone, `UTC` for all its aliases; refuses names that do not exist."""
    if name in UTC_NAMES:
        return "UTC"
    try:
        if len(name) > 64 or not name.isascii():
            raise ZoneInfoNotFoundError(name)
        zone_named(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refuse(
            "not a time zone of the IANA database", "TZID", name, position, _similar_zone(name)
        ) from None
    return name


def _similar_zone(name: str) -> str | None:
    names = (importlib.resources.files("tzdata") / "zones").read_text(encoding="ascii").split()
    by_lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name[:64].lower(), by_lower, n=1, cutoff=0.6)
    return f"Did you mean {by_lower[close[0]]}?" if close else None


def to_datetime(instant: int) -> datetime:
    """An instant as aware UTC datetime."""
    return EPOCH + timedelta(0, instant)


def to_instant(moment: datetime) -> tuple[int, bool]:
    """Whole seconds of an aware datetime, rounded down, and whether something was cut off."""
    if moment.tzinfo is None:
        raise ValueError("naive datetime: occurrences are instants, give an aware datetime")
    passed = moment - EPOCH
    return passed.days * DAY_SECONDS + passed.seconds, passed.microseconds > 0
