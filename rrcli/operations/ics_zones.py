"""Time zones of iCalendar files: a VTIMEZONE of an IANA zone, and the IANA zone that a VTIMEZONE means."""

import calendar
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from importlib.resources import files
from itertools import groupby, pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

from rrcli.core.recurrence.zones import EPOCH, zone_named

YEARS_AHEAD = 20
_YEARS_COMPARED = 3
_DAY = timedelta(days=1)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class _Onset(NamedTuple):
    """When an offset begins, on the clock of the one before."""

    at: datetime
    before: timedelta
    after: timedelta
    name: str
    summer: bool

    @property
    def kind(self) -> tuple[timedelta, timedelta, str, bool]:
        return self.before, self.after, self.name, self.summer


def component(name: str, first_year: int, now: datetime) -> Timezone:
    """The VTIMEZONE of an IANA zone, right from `first_year` on.

    Changes that keep to one rule go on for ever; of others the next twenty years are listed.
    """
    made = Timezone()
    made.add("TZID", name)
    zone = ZoneInfo(name)
    start = datetime(first_year, 1, 1, tzinfo=UTC).astimezone(zone)
    offset = start.utcoffset() or timedelta()
    begin = _Onset(datetime(first_year, 1, 1), offset, offset, str(start.tzname()), bool(start.dst()))  # noqa: DTZ001 its clock
    made.add_component(_observance(begin, [begin.at]))
    onsets = sorted(_onsets(name, first_year, now.year + YEARS_AHEAD), key=lambda each: (*each.kind, each.at))
    for _, group in groupby(onsets, key=lambda each: each.kind):
        found = list(group)
        regular = _regular_from(found, now.year + YEARS_AHEAD)
        if regular:
            made.add_component(_observance(found[0], [each.at for each in found[:regular]]))
        if regular < len(found):
            rule = _yearly([each.at.date() for each in found[regular:]])
            made.add_component(_observance(found[regular], [found[regular].at], rule))
    return made


def _onsets(name: str, first_year: int, last_year: int) -> Iterator[_Onset]:
    zone, offsets = ZoneInfo(name), zone_named(name)
    for year in range(first_year, last_year + 1):
        for change in offsets.changes(year) if offsets else ():
            instant = EPOCH + timedelta(seconds=change.instant)
            local = instant.astimezone(zone)
            before, after = timedelta(seconds=change.before), timedelta(seconds=change.after)
            wall = (instant + before).replace(tzinfo=None)
            yield _Onset(wall, before, after, str(local.tzname()), bool(local.dst()))


def _regular_from(onsets: list[_Onset], last_year: int) -> int:
    """The index from which the onsets keep to one rule up to the last year; how many there are if never."""
    if onsets[-1].at.year < last_year:
        return len(onsets)
    for index in range(len(onsets)):
        rest = [each.at for each in onsets[index:]]
        years = [each.year for each in rest]
        every_year = years == list(range(years[0], last_year + 1))
        if (
            every_year
            and len({each.time() for each in rest}) == 1
            and _yearly([each.date() for each in rest])
        ):
            return index if len(rest) > 1 else len(onsets)
    return len(onsets)


def _yearly(days: Iterable[date]) -> str | None:
    """`FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU`, when that says all the days."""
    found = list(days)
    months, weekdays = {day.month for day in found}, {day.weekday() for day in found}
    if len(months) > 1 or len(weekdays) > 1:
        return None
    numbers = {(day.day - 1) // 7 + 1 for day in found}
    if all(day.day + 7 > calendar.monthrange(day.year, day.month)[1] for day in found):
        numbers = {-1}
    if len(numbers) > 1:
        return None
    return f"FREQ=YEARLY;BYMONTH={months.pop()};BYDAY={numbers.pop()}{_WEEKDAYS[weekdays.pop()]}"


def _observance(onset: _Onset, starts: list[datetime], rule: str | None = None) -> Any:
    made = TimezoneDaylight() if onset.summer else TimezoneStandard()
    made.add("DTSTART", starts[0])
    if rule:
        made.add("RRULE", vRecur.from_ical(rule))
    elif len(starts) > 1:
        made.add("RDATE", starts[1:])
    made.add("TZOFFSETFROM", onset.before)
    made.add("TZOFFSETTO", onset.after)
    made.add("TZNAME", onset.name)
    return made


def iana_name(tzid: str, definition: Any, now: datetime) -> str | None:
    """The IANA zone that a TZID means; None when there is none.

    It is the name itself, a name with a prefix (`/vendor/Europe/Berlin`), Windows' name for it, or, by its
    VTIMEZONE, a zone that has the same offsets from a year ago to two years ahead.
    """
    for name in (tzid, *_endings(tzid), _of_windows(tzid)):
        if name and _exists(name):
            return name
    if definition is None:
        return None
    hint = str(definition.get("X-LIC-LOCATION", ""))
    own = definition.to_tz(lookup_tzid=False)
    samples = _samples(own, now)
    candidates = [hint] if _exists(hint) else []
    return next((name for name in (*candidates, *_names()) if _fits(ZoneInfo(name), samples)), None)


def _fits(zone: tzinfo, samples: Iterable[tuple[datetime, timedelta | None]]) -> bool:
    return all(_offset(instant, zone) == offset for instant, offset in samples)


def _endings(tzid: str) -> Iterator[str]:
    parts = tzid.split("/")
    for index in range(1, len(parts)):
        yield "/".join(parts[index:])


def _of_windows(tzid: str) -> str | None:
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    found = WINDOWS_TO_OLSON.get(tzid)
    return str(found) if found else None


def _exists(name: str) -> bool:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]{1,63}", name, re.ASCII):
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@cache
def _names() -> tuple[str, ...]:
    """All zones: first the well-known ones, which Windows has names for; last those of no place."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    names = (files("tzdata") / "zones").read_text(encoding="ascii").split()
    in_order = sorted(names, key=lambda name: ("/" not in name, name.startswith("Etc/"), name))
    return tuple(dict.fromkeys([*filter(_exists, WINDOWS_TO_OLSON.values()), *in_order]))


def _samples(zone: tzinfo, now: datetime) -> list[tuple[datetime, timedelta | None]]:
    """Instants and offsets that tell the zone from others: every noon, and every hour around a change."""
    first = datetime(now.year - 1, 1, 1, 12, tzinfo=UTC)
    noons = [first + number * _DAY for number in range(_YEARS_COMPARED * 365)]
    offsets = [_offset(noon, zone) for noon in noons]
    found: list[tuple[datetime, timedelta | None]] = list(zip(noons, offsets, strict=True))
    for (noon, offset), (_, later) in pairwise(list(found)):
        if offset != later:
            hours = [noon + timedelta(hours=number, minutes=30) for number in range(24)]
            # What tells zones apart comes first.
            found[:0] = [(hour, _offset(hour, zone)) for hour in hours]
    return found


def _offset(instant: datetime, zone: tzinfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()
