"""What calendars subscribe to: past runs with their outcome, and the runs to come, each as one event.

An occurrence has the same UID before and after it ran, so that a calendar shows it once.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from zoneinfo import ZoneInfo

from icalendar import Event as Component

from rrcli.core.exclusions import Exclusions, allowed_from
from rrcli.core.ids import occurrence_id
from rrcli.core.models import Event, EventState, Schedule, ScheduleState
from rrcli.errors import InvalidRule
from rrcli.operations.context import Context
from rrcli.operations.ics_write import DOMAIN, calendar_of, local
from rrcli.operations.rules import recurrence_of

BACK = timedelta(days=30)
AHEAD = timedelta(days=90)
PER_SCHEDULE = 200
IN_ALL = 2000
SCHEDULES = 1000
"""A feed goes back and ahead so far, and has so many past and so many coming runs of so many schedules."""

_MARKS = {
    EventState.COMPLETED: "✓",
    EventState.ERROR: "✗",
    EventState.SKIPPED: "–",
    EventState.CANCELLED: "–",
}
_HIDDEN = EventState.SUPERSEDED


def of_schedule(context: Context, schedule: Schedule) -> str:
    """The calendar of one schedule."""
    now = context.now()
    found = context.repository.events.history(schedule.id, limit=PER_SCHEDULE).items
    return _written(context, schedule.name, [schedule], found, now)


def of_all(context: Context, *, tag: str | None = None) -> str:
    """The calendar of all schedules, or of those with a tag."""
    now = context.now()
    schedules = context.repository.schedules.find(tag=tag, limit=SCHEDULES).items
    if tag is None:
        found: Sequence[Event] = context.repository.events.history(None, limit=IN_ALL).items
    else:
        found = _latest(context, schedules)
    return _written(context, "Schedules" if tag is None else f"Schedules: {tag}", schedules, found, now)


def _latest(context: Context, schedules: Iterable[Schedule]) -> list[Event]:
    each = (context.repository.events.history(one.id, limit=PER_SCHEDULE).items for one in schedules)
    return sorted((event for found in each for event in found), key=lambda e: e.run_time)[-IN_ALL:]


def _written(
    context: Context, name: str, schedules: Sequence[Schedule], past: Iterable[Event], now: datetime
) -> str:
    by_id = {each.id: each for each in schedules}
    exclusions = context.exclusions(schedules)
    coming = [_coming(each, exclusions[each.id], now) for each in schedules]
    planned = islice(merge(*coming, key=lambda found: found[0]), IN_ALL)
    ran = [
        (event, by_id[event.schedule_id])
        for event in past
        if event.schedule_id in by_id and event.state is not _HIDDEN and now - BACK <= event.run_time <= now
    ]
    events = [_past(event, schedule) for event, schedule in ran]
    shown = [schedule for _, schedule in ran]
    for instant, schedule in planned:
        events.append(_planned(instant, schedule))
        shown.append(schedule)
    zones = {_zone(schedule).key for schedule in shown}
    return calendar_of(name, events, zones, now - BACK, now)


def _coming(schedule: Schedule, exclusions: Exclusions, now: datetime) -> Iterator[tuple[datetime, Schedule]]:
    if schedule.state is not ScheduleState.ACTIVE:
        return
    try:
        recurrence = recurrence_of(schedule)
    except InvalidRule:  # another program's document; it fires nothing either
        return
    for instant in islice(allowed_from(recurrence, exclusions, now, inclusive=False), PER_SCHEDULE):
        if instant >= now + AHEAD:
            return
        yield instant, schedule


def _planned(instant: datetime, schedule: Schedule) -> Component:
    made = _event(occurrence_id(schedule.id, instant), instant, schedule, schedule.updated_at)
    made.add("SUMMARY", schedule.name)
    made.add("DESCRIPTION", recurrence_of(schedule).describe())
    return made


def _past(event: Event, schedule: Schedule) -> Component:
    made = _event(event.id, event.run_time, schedule, event.status[-1].time)
    count = f" ({event.span.count} times)" if event.span and event.span.count > 1 else ""
    made.add("SUMMARY", f"{_MARKS.get(event.state, '…')} {schedule.name}{count}")
    told = [f"{event.state}: {event.status[-1].message}"]
    if event.attempts:
        told.append(f"attempts: {len(event.attempts)}")
    made.add("DESCRIPTION", "\n".join(told))
    return made


def _event(id_: str, instant: datetime, schedule: Schedule, changed: datetime) -> Component:
    made = Component()
    made.add("UID", f"{id_}@{DOMAIN}")
    made.add("DTSTAMP", changed.replace(microsecond=0))
    made.add("DTSTART", local(instant.replace(microsecond=0), _zone(schedule)))
    # A run takes no time of anybody's day.
    made.add("TRANSP", "TRANSPARENT")
    return made


def _zone(schedule: Schedule) -> ZoneInfo:
    try:
        return ZoneInfo(recurrence_of(schedule).timezone)
    except InvalidRule:
        return ZoneInfo("UTC")
