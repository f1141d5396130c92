"""Events that their schedule, as it is now, does not want called any more."""

from datetime import datetime

from rrcli.core.exclusions import Exclusions
from rrcli.core.models import Event, EventState, Kind, Schedule, ScheduleState
from rrcli.errors import InvalidRule
from rrcli.operations.context import Context
from rrcli.operations.handover import let_begin
from rrcli.operations.rules import has_occurrence, recurrence_of

EVENTS_AT_ONCE = 100_000
"""Live events of one schedule that are taken out together."""


def supersede(context: Context, schedule: Schedule, now: datetime) -> None:
    """Take queued occurrences out that the schedule does not have any more: none of them begins later."""
    repository = context.repository
    exclusions = context.exclusions([schedule])[schedule.id]
    unfinished = repository.events.unfinished(schedule.id, limit=EVENTS_AT_ONCE)
    stale = [
        ended for event in unfinished if (ended := taken_out(schedule, exclusions, event, now)) is not None
    ]
    taken = repository.queues.withdraw([event.id for event in stale])
    repository.events.archive([event for event in stale if event.id in taken], now)
    let_begin(context, (event for event in stale if event.id not in taken))


def taken_out(schedule: Schedule, exclusions: Exclusions, event: Event, now: datetime) -> Event | None:
    """The event with its last status, when its schedule as it is now does not want it called; else None.

    What has been tried already is not taken out by an exclusion that came later.
    """
    if not may_fire(schedule, event):
        return superseded(schedule, event, now)
    if event.kind is Kind.SCHEDULED and not event.attempts and (excluded := exclusions.at(event.run_time)):
        return event.moved(EventState.SKIPPED, now, excluded.reason)
    return None


def may_fire(schedule: Schedule, event: Event) -> bool:
    """Whether an event still is an occurrence of the schedule as it is now.

    Only events from the rule depend on it; manual runs and replays were asked for by a person.
    """
    if event.kind is not Kind.SCHEDULED or event.revision >= schedule.rule_revision:
        return True
    if schedule.state is ScheduleState.PAUSED:
        return False
    try:
        return has_occurrence(recurrence_of(schedule), event.run_time)
    except InvalidRule:  # another program's document: nothing says that this is still wanted
        return False


def superseded(schedule: Schedule, event: Event, now: datetime) -> Event:
    """The event, ended because its schedule was changed or paused."""
    what = "paused" if schedule.state is ScheduleState.PAUSED else "changed"
    message = f"Schedule was {what} at revision {schedule.rule_revision}; this event was of {event.revision}"
    return event.moved(EventState.SUPERSEDED, now, message)
