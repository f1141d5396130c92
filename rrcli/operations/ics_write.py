"""Schedules as iCalendar (RFC 5545) events, for calendars: as rules that go on for ever, or as single runs.

Calendars do not agree on all that a rule may say. A rule is written as one where they do (and then occurs at
the very instants at which the schedule fires), else as a list of its next occurrences.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vRecur

from rrcli import __version__
from rrcli.core.exclusions import Exclusions, allowed_from
from rrcli.core.models import Schedule
from rrcli.core.recurrence import Recurrence
from rrcli.core.recurrence.calendar import DAY_SECONDS
from rrcli.core.recurrence.components import Components, read_components
from rrcli.core.recurrence.moments import Moment, to_datetime
from rrcli.core.recurrence.rule import Frequency, Rule
from rrcli.operations.context import Context
from rrcli.operations.ics_zones import component
from rrcli.operations.rules import recurrence_of

LISTED = 1000
LISTED_FOR = timedelta(days=366)
"""A rule that calendars do not share is written as this many occurrences, and for this long, at most."""

DOMAIN = "rrule-scheduler"
UID_TAG = "uid="
_COMPARED = 400
_SKIPS_LOOKED_FOR = timedelta(days=2 * 366)


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """An iCalendar text, and the names of schedules of which only the next occurrences are in it."""

    text: str
    listed: tuple[str, ...]


def calendar_of(
    name: str, events: Iterable[Event], zones: Iterable[str], first: datetime, now: datetime
) -> str:
    """The text of a calendar with those events, and the definitions of those time zones."""
    made = Calendar()
    made.add("PRODID", f"-//{DOMAIN}//rrcli {__version__}//EN")
    made.add("VERSION", "2.0")
    made.add("CALSCALE", "GREGORIAN")
    made.add("METHOD", "PUBLISH")
    made.add("X-WR-CALNAME", name)
    for zone in sorted(set(zones) - {"UTC"}):
        made.add_component(component(zone, min(first, now).year - 1, now))
    for event in events:
        made.add_component(event)
    return str(made.to_ical().decode())


def export(context: Context, schedules: Sequence[Schedule]) -> Written:
    """The schedules as repeating events. Raises InvalidRule."""
    now = context.now()
    exclusions = context.exclusions(schedules)
    events: list[Event] = []
    listed: list[str] = []
    zones: set[str] = set()
    first = now
    for schedule in schedules:
        pattern = _pattern(schedule, exclusions[schedule.id], now)
        if pattern is None:
            continue
        if pattern.listed:
            listed.append(schedule.name)
        events.append(_event(schedule, pattern))
        zones.add(pattern.zone_name)
        first = min(first, pattern.start)
    return Written(text=calendar_of("Schedules", events, zones, first, now), listed=tuple(listed))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pattern:
    """What repeats: the first instant, a rule (None: none), instants beside it, and those taken out."""

    zone_name: str
    start: datetime
    rule: Rule | None = None
    added: tuple[datetime, ...] = ()
    removed: tuple[datetime, ...] = ()
    listed: bool = False


def local(instant: datetime, zone: ZoneInfo) -> datetime:
    """The instant on the clock of the zone; in UTC where that comes twice: programs differ."""
    found = instant.astimezone(zone)
    return found if found.utcoffset() == found.replace(fold=not found.fold).utcoffset() else instant


def uid_of(schedule: Schedule) -> str:
    """What names the schedule in calendars: the UID that it was imported under, else one made of its id."""
    given = next((tag.removeprefix(UID_TAG) for tag in schedule.tags if tag.startswith(UID_TAG)), None)
    return given or f"{schedule.id}@{DOMAIN}"


def _event(schedule: Schedule, pattern: _Pattern) -> Event:
    zone = ZoneInfo(pattern.zone_name)
    made = Event()
    made.add("UID", uid_of(schedule))
    made.add("DTSTAMP", schedule.updated_at.replace(microsecond=0))
    made.add("SUMMARY", schedule.name)
    made.add("DESCRIPTION", recurrence_of(schedule).describe())
    made.add(
        "DTSTART", local(pattern.start, zone) if pattern.rule is None else pattern.start.astimezone(zone)
    )
    if pattern.rule is not None:
        made.add("RRULE", vRecur.from_ical(str(pattern.rule)))
    add_instants(made, "RDATE", pattern.added, zone)
    add_instants(made, "EXDATE", pattern.removed, zone)
    made.add("TRANSP", "TRANSPARENT")
    return made


def add_instants(event: Any, name: str, instants: Iterable[datetime], zone: ZoneInfo) -> None:
    """One property for those on the zone's clock, one for those in UTC."""
    # What is taken out of a rule must be written as the rule comes to it.
    write = _of_rule if name == "EXDATE" else local
    written = [write(each, zone) for each in instants]
    for group in (
        [each for each in written if each.tzinfo is not UTC],
        [w for w in written if w.tzinfo is UTC],
    ):
        if group:
            event.add(name, group)


def _of_rule(instant: datetime, zone: ZoneInfo) -> datetime:
    """On the clock of the zone, which to rules is the first pass of a repeated hour; the second in UTC."""
    found = instant.astimezone(zone)
    return instant if found.fold else found


def _pattern(schedule: Schedule, exclusions: Exclusions, now: datetime) -> _Pattern | None:
    """None where nothing is left."""
    recurrence = recurrence_of(schedule)
    found = read_components(recurrence.text, None, None)
    return _as_rule(found, recurrence, exclusions, now) or _as_list(recurrence, exclusions, now)


def _as_list(recurrence: Recurrence, exclusions: Exclusions, now: datetime) -> _Pattern | None:
    coming = islice(allowed_from(recurrence, exclusions, now), LISTED)
    listed = [each for each in coming if each < now + LISTED_FOR]
    if not listed:
        return None
    more = recurrence.after(listed[-1]) is not None
    first, *others = listed
    return _Pattern(zone_name=recurrence.timezone, start=first, added=tuple(others), listed=more)


def _as_rule(
    found: Components, recurrence: Recurrence, exclusions: Exclusions, now: datetime
) -> _Pattern | None:
    """The rule itself, where all calendars read it as we do and it gives the very same instants."""
    if len(found.rules) != 1 or found.removing_rules or not _is_common(found.rules[0], found):
        return None
    bare = Recurrence.parse(str(replace(found, added=(), removed=(), removed_days=())))
    start = bare.after(datetime(1900, 1, 1, tzinfo=UTC))
    if start is None:
        return None
    rule = _written(found, start)
    moved = Recurrence.parse(f"{_dtstart(start, found.zone_name)}\nRRULE:{rule}")
    if any(_from(bare, at) != _from(moved, at) for at in (start, now)):
        return None
    return _Pattern(
        zone_name=found.zone_name,
        start=start,
        rule=rule,
        added=tuple(sorted({to_datetime(placed.instant) for placed in found.added})),
        removed=tuple(sorted(_taken_out(found, bare, recurrence, exclusions, now))),
    )


def _from(recurrence: Recurrence, start: datetime) -> list[datetime]:
    return list(recurrence.occurrences(after=start, limit=_COMPARED))


def _taken_out(
    found: Components, bare: Recurrence, recurrence: Recurrence, exclusions: Exclusions, now: datetime
) -> set[datetime]:
    """Occurrences of the bare rule that do not fire: by EXDATE, by hand, and by calendars for two years."""
    gone = {to_datetime(placed.instant) for placed in found.removed}
    for day in found.removed_days:
        begin = to_datetime(Moment(day.wall).instant(found.zone))
        gone.update(bare.between(begin, begin + timedelta(days=1, hours=2), LISTED))
    gone = {each for each in gone if recurrence.after(each, inclusive=True) != each}
    coming = recurrence.occurrences(after=now - LISTED_FOR, before=now + _SKIPS_LOOKED_FOR, limit=20 * LISTED)
    if exclusions:
        gone.update(each for each in coming if exclusions.at(each))
    return gone


def _is_common(rule: Rule, found: Components) -> bool:
    """Whether calendars agree on what the rule means, and have it at all: one time a day, plain days."""
    if rule.frequency >= Frequency.HOURLY or rule.rscale or rule.week_numbers or rule.year_days:
        return False
    if max(map(len, (rule.hours, rule.minutes, rule.seconds))) > 1 or 60 in rule.seconds:
        return False
    numbered = {bool(item.nth) for item in rule.weekdays}
    if len(numbered) > 1 or (True in numbered and rule.month_days):
        return False
    if rule.frequency == Frequency.YEARLY and (rule.weekdays or (rule.month_days and not rule.months)):
        return False
    chosen_from = rule.weekdays or rule.month_days
    return not rule.positions or (rule.frequency != Frequency.WEEKLY and bool(chosen_from))


def _written(found: Components, start: datetime) -> Rule:
    """The rule without what its first occurrence says already; Google knows no BYHOUR. UNTIL is in UTC."""
    rule = replace(found.rules[0], hours=(), minutes=(), seconds=())
    if rule.until is None:
        return rule
    if rule.until.is_date:
        end = Moment(rule.until.wall + DAY_SECONDS - 1).instant(found.zone)
    else:
        end = rule.until.instant(found.zone)
    return replace(rule, until=Moment(end, is_utc=True))


def _dtstart(start: datetime, zone_name: str) -> str:
    if zone_name == "UTC":
        return f"DTSTART:{start:%Y%m%dT%H%M%S}Z"
    return f"DTSTART;TZID={zone_name}:{start.astimezone(ZoneInfo(zone_name)):%Y%m%dT%H%M%S}"
