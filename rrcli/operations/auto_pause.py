"""Pausing a schedule whose calls keep failing."""

from datetime import datetime

from rrcli.core.models import Event, EventState, Schedule, ScheduleState
from rrcli.errors import Conflict, NotFound
from rrcli.operations.changes import paused
from rrcli.operations.context import Context
from rrcli.operations.rewrite import rewrite


def pause_after_failures(context: Context, schedule_id: str) -> None:
    """Pause the schedule if its last `auto_pause_after` scheduled calls have failed since it was resumed.

    To be asked after a failure is in the ledger. The ledger is counted anew whenever somebody else changed
    the schedule in between, so that a resume by hand is never undone by failures from before it.
    """

    def change(old: Schedule, now: datetime) -> Schedule:
        if old.state is not ScheduleState.ACTIVE or not old.auto_pause_after:
            return old
        row = _failures_in_a_row(context, old)
        if len(row) < old.auto_pause_after:
            return old
        failures = "1 failure" if len(row) == 1 else f"{len(row)} failures in a row"
        return paused(old, f"{failures}, last: {_what(row[0])}")

    try:
        rewrite(context, schedule_id, change, None)
    except (NotFound, Conflict):
        return  # deleted, or changed over and over: the next failure asks again


def _failures_in_a_row(context: Context, schedule: Schedule) -> list[Event]:
    """The newest results, latest first, up to the first that is no failure or ended before the resume."""
    since = schedule.state_since or schedule.created_at
    row = []
    for event in context.repository.events.results(schedule.id, schedule.auto_pause_after):
        if event.state is not EventState.ERROR or event.status[-1].time < since:
            break
        row.append(event)
    return row


def _what(event: Event) -> str:
    """How the last attempt failed; without one, why none was made."""
    if not event.attempts:
        return event.status[-1].message
    last = event.attempts[-1]
    return last.error or f"HTTP {last.status_code}"
