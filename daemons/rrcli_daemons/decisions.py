"""What a worker decides of an event by looking at it: nothing is asked of a store, nothing is changed."""

from datetime import datetime

from rrcli.core.exclusions import Exclusions
from rrcli.core.models import Attempt, Event, EventState, Kind, Overlap, Schedule
from rrcli.core.policies import fires_late, is_late
from rrcli.core.retry import Outcome
from rrcli.operations.window import latest_due_of
from rrcli_daemons.overlap import came_up

RESPONSE_CHARACTERS = 1024


def is_repeated(event: Event) -> bool:
    """Whether a person asked for the call to be made again, or after all."""
    return event.kind in (Kind.REPLAY, Kind.BACKFILL)


def waits_its_turn(schedule: Schedule, event: Event) -> bool:
    """Whether an overlapping event waits: what a person asked for does so rather than be skipped."""
    return schedule.overlap is Overlap.QUEUE or (schedule.overlap is Overlap.SKIP and is_repeated(event))


def misfired(schedule: Schedule, exclusions: Exclusions, event: Event, now: datetime) -> bool:
    """Whether an occurrence that was queued in time comes up too late, as after an outage."""
    if (
        event.kind is not Kind.SCHEDULED
        or event.attempts
        or not is_late(event.due, schedule.misfire, now=now)  # the cheaper question, asked first
        or not is_late(event.due, schedule.misfire, now=came_up(event, now))
    ):
        return False
    latest_due = latest_due_of(schedule, exclusions, now)
    return not fires_late(event.run_time, schedule.misfire, now=now, latest_due=latest_due)


def tried(
    event: Event, outcome: Outcome, state: EventState, now: datetime, message: str, **changes: datetime
) -> Event:
    """The event with one more attempt, and the status that follows from it."""
    attempt = Attempt(
        time=outcome.started,
        duration_ms=round(outcome.duration_ms, 3),
        status_code=outcome.status_code,
        error=outcome.error,
        response=outcome.response[:RESPONSE_CHARACTERS] or None,
    )
    lateness_ms = event.lateness_ms
    if lateness_ms is None:
        lateness_ms = round((outcome.started - event.due).total_seconds() * 1000, 3)
    attempts = (*event.attempts, attempt)
    return event.moved(state, now, message, attempts=attempts, lateness_ms=lateness_ms, **changes)
