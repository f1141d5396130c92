"""Reading an iCalendar file (RFC 5545) as holidays: what days and spans its events cover.

Repeating events are expanded by the product's own engine, from HORIZON_BACK before now to HORIZON_AHEAD
after it: import the file again once in a while. Texts, alarms and people are left aside.
"""

import warnings
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from icalendar import Calendar as Component

from rrcli.core.calendars import Closure, Holiday
from rrcli.core.recurrence import Recurrence
from rrcli.errors import FieldError, InvalidInput

HORIZON_BACK = timedelta(days=366)
HORIZON_AHEAD = timedelta(days=10 * 366)
MOST = 10_000
"""Days and spans that one calendar may have."""

TITLE_LENGTH = 200
_DAY = timedelta(days=1)

Entry = Any
"""A VEVENT of icalendar: the type of each property is known when it is read."""


def read(text: str, now: datetime) -> tuple[tuple[Holiday, ...], tuple[Closure, ...]]:
    """The days and spans of an iCalendar text, in order. Raises InvalidInput saying which event is wrong.

    Cancelled events do not count. Times without a zone are in the one that X-WR-TIMEZONE names, else in UTC.
    """
    calendars = parsed(text)
    zone = next((found for each in calendars if (found := _zone(each))), ZoneInfo("UTC"))
    entries = [entry for each in calendars for entry in each.walk("VEVENT")]
    replaced = {_instance(entry) for entry in entries if "RECURRENCE-ID" in entry}
    holidays: set[tuple[date, str]] = set()
    closures: set[tuple[datetime, datetime, str]] = set()
    for entry in entries:
        if str(entry.get("STATUS", "")).upper() == "CANCELLED":
            continue
        try:
            _take(entry, zone, now, replaced, holidays, closures)
        except (ValueError, TypeError, AttributeError, OverflowError, KeyError) as error:
            problem = getattr(error, "message", None) or str(error) or type(error).__name__
            raise _wrong(f"must be an event that can be read: {problem}", title_of(entry)) from error
        if len(holidays) + len(closures) > MOST:
            raise _wrong(f"must have at most {MOST} days and times", len(holidays) + len(closures))
    if not holidays and not closures:
        raise _wrong("must hold events (VEVENT) between a year ago and ten years ahead", "")
    return (
        tuple(Holiday(day=day, title=title) for day, title in sorted(holidays)),
        tuple(Closure(start=start, end=end, title=title) for start, end, title in sorted(closures)),
    )


def parsed(text: str) -> list[Any]:
    """The calendars of an iCalendar text. Raises InvalidInput."""
    try:
        # What icalendar guesses of time zones it warns of; those that matter are asked for by name here.
        with warnings.catch_warnings(action="ignore"):
            found = Component.from_ical(text, multiple=True)
    except (ValueError, IndexError, KeyError, RecursionError) as error:
        raise _wrong(f"must be an iCalendar file (RFC 5545): {str(error)[:200]}", text[:80]) from error
    calendars = [each for each in cast("list[Any]", found) if each.name == "VCALENDAR"]
    if not calendars:
        raise _wrong("must be an iCalendar file (RFC 5545): BEGIN:VCALENDAR", text[:80])
    return calendars


def _take(
    entry: Entry,
    zone: ZoneInfo,
    now: datetime,
    replaced: set[tuple[str, date]],
    holidays: set[tuple[date, str]],
    closures: set[tuple[datetime, datetime, str]],
) -> None:
    """Add what one event covers."""
    title, first = title_of(entry), entry.start
    length = entry.end - first
    if length < timedelta(0):
        raise ValueError("it ends before it starts")
    for start in _starts(entry, first, zone, now):
        if (str(entry.get("UID", "")), start) in replaced and "RECURRENCE-ID" not in entry:
            continue
        if isinstance(start, datetime):
            begin = _utc(start, zone)
            if length:
                closures.add((begin, begin + length, title))
            continue
        for number in range(min(max(1, length // _DAY), MOST + 1)):
            holidays.add((start + number * _DAY, title))


def _starts(entry: Entry, first: date, zone: ZoneInfo, now: datetime) -> Iterable[date]:
    """When the event and its repetitions start: dates for whole days, else datetimes."""
    if "RRULE" not in entry and "RDATE" not in entry:
        return [first]
    timed = isinstance(first, datetime)
    recurrence = Recurrence.parse("\n".join(_rule_lines(entry, zone, timed)), timezone=None)
    found = recurrence.occurrences(after=now - HORIZON_BACK, before=now + HORIZON_AHEAD, limit=MOST + 1)
    own = ZoneInfo(recurrence.timezone)
    return [instant if timed else instant.astimezone(own).date() for instant in found]


def _rule_lines(entry: Entry, zone: ZoneInfo, timed: bool) -> Iterator[str]:
    """DTSTART and what repeats it, as the engine reads them: whole days are midnights in UTC."""
    yield _line("DTSTART", [entry["DTSTART"].dt], zone, timed)
    rules = entry.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        yield "RRULE:" + rule.to_ical().decode()
    for name in ("RDATE", "EXDATE"):
        found = entry.get(name, [])
        dates = [each.dt for group in (found if isinstance(found, list) else [found]) for each in group.dts]
        if dates:
            yield _line(name, dates, zone, timed)


def _line(name: str, dates: list[Any], zone: ZoneInfo, timed: bool) -> str:
    if any(isinstance(each, tuple) for each in dates):
        raise ValueError(f"{name} with periods is not understood")
    if not timed:
        days = [each.date() if isinstance(each, datetime) else each for each in dates]
        return f"{name}:" + ",".join(f"{day:%Y%m%d}T000000Z" for day in days)
    times = [each if isinstance(each, datetime) else datetime.combine(each, time()) for each in dates]
    own = getattr(times[0].tzinfo, "key", None) if times[0].tzinfo else zone.key
    if own is None or own == "UTC":
        return f"{name}:" + ",".join(f"{_utc(each, zone):%Y%m%dT%H%M%S}Z" for each in times)
    local = [each.astimezone(ZoneInfo(own)) if each.tzinfo else each for each in times]
    return f"{name};TZID={own}:" + ",".join(f"{each:%Y%m%dT%H%M%S}" for each in local)


def _instance(entry: Entry) -> tuple[str, date]:
    """The repetition that another event stands for."""
    return (str(entry.get("UID", "")), _plain(entry["RECURRENCE-ID"].dt))


def _plain(start: date) -> date:
    return start.astimezone(UTC) if isinstance(start, datetime) and start.tzinfo else start


def _utc(start: datetime, zone: ZoneInfo) -> datetime:
    return (start if start.tzinfo else start.replace(tzinfo=zone)).astimezone(UTC)


def _zone(calendar: Any) -> ZoneInfo | None:
    try:
        return ZoneInfo(str(calendar["X-WR-TIMEZONE"]))
    except (KeyError, ValueError, OSError):
        return None


def title_of(entry: Entry) -> str:
    """What an event is called, on one line."""
    text = "".join(each if each.isprintable() else " " for each in str(entry.get("SUMMARY", "")))
    return " ".join(text.split())[:TITLE_LENGTH] or "without a name"


def _wrong(allowed: str, value: object) -> InvalidInput:
    return InvalidInput([FieldError(field="calendar", value=value, allowed=allowed)])
