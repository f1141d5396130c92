"""Changing, pausing and resuming schedules."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice

from rrcli.core.inputs import check_schedule
from rrcli.core.models import Schedule, ScheduleState
from rrcli.core.policies import span_of
from rrcli.core.recurrence import Recurrence
from rrcli.errors import Conflict, InvalidRule, NotFound
from rrcli.operations import rules
from rrcli.operations.context import Context
from rrcli.operations.rewrite import replanned, rewrite
from rrcli.operations.rules import has_occurrence, recurrence_of
from rrcli.operations.schedule_fields import field_changes, require_calendars
from rrcli.operations.window import OCCURRENCES_PER_PASS, skipped_event


def update(
    context: Context,
    schedule_id: str,
    data: Mapping[str, object],
    *,
    expected_revision: int | None = None,
) -> Schedule:
    """Change the given fields; the others keep their values.

    A new rule or time zone takes queued occurrences of the old one out of the queues, and queues its own. A
    rule without DTSTART keeps the schedule's present one. Raises InvalidInput, NotFound, and Conflict when
    `expected_revision` is not the stored one.
    """
    values = check_schedule(data, partial=True)
    require_calendars(context, values)

    def change(old: Schedule, now: datetime) -> Schedule:
        new = replace(old, **field_changes(old, values))
        same_calendars = new.exclude_calendars == old.exclude_calendars
        unchanged = new if same_calendars else replanned(new, now)
        if not {"rrule", "timezone"} & values.keys():
            return unchanged
        recurrence = rules.changed(old, values)
        if recurrence.text == old.rrule and new.timezone == old.timezone:
            return unchanged
        with suppress(InvalidRule):  # what cannot be read has missed nothing that anyone could name
            _record_missed(context, old, now)
        skips = tuple(skip for skip in old.skips if has_occurrence(recurrence, skip.run_time))
        changed = replace(new, rrule=recurrence.text, skips=skips)
        return _with_rule(changed, recurrence_of(changed), now)

    return rewrite(context, schedule_id, change, expected_revision)


def pause(
    context: Context, schedule_id: str, *, reason: str | None = None, expected_revision: int | None = None
) -> Schedule:
    """Stop making occurrences; those in the queues are superseded. Pausing twice changes nothing."""

    def change(old: Schedule, now: datetime) -> Schedule:
        if old.state is ScheduleState.PAUSED:
            return old
        if old.state is ScheduleState.COMPLETED:
            raise Conflict(f"Schedule {old.id} is completed: there is nothing to pause.")
        return paused(old, reason)

    return rewrite(context, schedule_id, change, expected_revision)


def paused(schedule: Schedule, reason: str | None) -> Schedule:
    """The schedule, making no occurrences until it is resumed."""
    return replace(
        schedule,
        state=ScheduleState.PAUSED,
        state_reason=reason,
        rule_revision=schedule.revision + 1,
    )


def stop_after_gone(context: Context, schedule_id: str) -> None:
    """The receiver answered 410: pause, unless someone deleted the schedule meanwhile."""
    try:
        pause(context, schedule_id, reason="The receiver answered 410 Gone")
    except NotFound:
        return


def resume(context: Context, schedule_id: str, *, expected_revision: int | None = None) -> Schedule:
    """Make occurrences again, from now on; those that fell into the pause are recorded as skipped."""

    def change(old: Schedule, now: datetime) -> Schedule:
        if old.state is ScheduleState.COMPLETED:
            raise Conflict(
                f"Schedule {old.id} is completed: its rule has no occurrence left.",
                hint="Give it a new rule.",
            )
        if old.state is ScheduleState.ACTIVE:
            return old
        _record_missed(context, old, now)
        active = replace(old, state=ScheduleState.ACTIVE, state_reason=None)
        return _with_rule(active, recurrence_of(old), now)

    return rewrite(context, schedule_id, change, expected_revision)


def _with_rule(schedule: Schedule, recurrence: Recurrence, now: datetime) -> Schedule:
    """The schedule with its rule counted from now; a paused one stays paused."""
    next_run = recurrence.after(now, inclusive=True)
    state = ScheduleState.ACTIVE if next_run else ScheduleState.COMPLETED
    return replace(
        schedule,
        state=schedule.state if schedule.state is ScheduleState.PAUSED else state,
        next_run=next_run,
        rule_revision=schedule.revision + 1,
    )


def _record_missed(context: Context, schedule: Schedule, now: datetime) -> None:
    """One entry for the occurrences before now that were never queued: a pause, or daemons down."""
    if schedule.next_run is None or schedule.next_run >= now:
        return
    recurrence = recurrence_of(schedule)
    missed = recurrence.occurrences(after=schedule.next_run, before=now)
    paused = schedule.state is ScheduleState.PAUSED
    why = "while the schedule was paused" if paused else "not queued before the schedule was changed"
    skips = []
    while run := tuple(islice(missed, OCCURRENCES_PER_PASS)):
        many = f"{len(run)} occurrences" if len(run) > 1 else "Occurrence"
        message = f"{many} {why}"
        skips.append(skipped_event(schedule, span_of(run), now, message))
    context.repository.events.record_skips(skips, now)
