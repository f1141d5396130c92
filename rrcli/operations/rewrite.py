"""The one way in which a stored schedule is changed.

A change is written to the schedule first; what it takes out of the queues comes after, and may be lost in a
crash: the worker asks the current rule before it fires an event of an older revision.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from rrcli.core.models import Schedule, ScheduleState
from rrcli.errors import Conflict, InvalidRule
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.operations.handover import AHEAD, let_begin
from rrcli.operations.rules import recurrence_of
from rrcli.operations.stale import supersede
from rrcli.operations.window import queue_now

_WRITE_TRIES = 10


def rewrite(
    context: Context,
    schedule_id: str,
    change: Callable[[Schedule, datetime], Schedule],
    expected_revision: int | None,
) -> Schedule:
    """Read, change, write if nobody else wrote in between; then bring the queues in line."""
    for _ in range(_WRITE_TRIES):
        now = context.now()
        old = schedules.get(context, schedule_id)
        if expected_revision is not None:
            schedules.require_revision(old, expected_revision)
        new = change(old, now)
        if new == old:
            return old
        new = replace(_dated(old, new, now), revision=old.revision + 1, updated_at=now)
        if context.repository.schedules.replace(new, expected_revision=old.revision):
            if new.rule_revision != old.rule_revision:
                supersede(context, new, now)
                queue_now(context, new, now)
            else:
                # What a worker holds already begins as the schedule was.
                let_begin(context, context.repository.events.unfinished(new.id, before=now + AHEAD))
            return new
    raise Conflict(f"Schedule {schedule_id} is being changed by others all the time.", hint="Try again.")


def _dated(old: Schedule, new: Schedule, now: datetime) -> Schedule:
    """`new`, with since when rule and state are what they are where they changed: an audit asks for it."""
    if (new.rrule, new.timezone) != (old.rrule, old.timezone):
        new = replace(new, rule_since=now)
    return new if new.state is old.state else replace(new, state_since=now)


def replanned(schedule: Schedule, now: datetime) -> Schedule:
    """The schedule, its window to be queued once more: what its skips or calendars take out has changed."""
    changed = replace(schedule, rule_revision=schedule.revision + 1)
    if schedule.state is ScheduleState.PAUSED:
        return changed
    try:
        upcoming = recurrence_of(schedule).after(now, inclusive=True)
    except InvalidRule:
        return changed
    # What was never queued stays to be queued: its misfire policy decides.
    next_run = min((each for each in (upcoming, schedule.next_run) if each), default=None)
    return replace(changed, next_run=next_run, state=ScheduleState.ACTIVE if next_run else schedule.state)
