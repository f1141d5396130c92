"""Many schedules made at once: all of them, or none when one is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from rrcli.core.ids import Seed
from rrcli.core.models import Schedule, ScheduleState
from rrcli.errors import FieldError, InvalidInput
from rrcli.operations import rules, schedule_fields, schedules
from rrcli.operations.context import Context
from rrcli.operations.window import queue_window

BATCH_LIMIT = 1000
"""Most schedules in one batch."""

FIELD = "schedules"
"""What refused fields are named after: `schedules[3].rrule`."""

_ERRORS_LISTED = 1000
_SCHEDULES_PER_PASS = 500
_EVENTS_AT_ONCE = 20_000
"""What is queued before the answer; the prequeuer's next tick queues the rest."""


def create_many(
    context: Context, items: Sequence[Mapping[str, object]], *, seed: Seed | None = None
) -> list[Schedule]:
    """Store new schedules and queue what falls into the current window, as `schedules.create` does.

    Every item is checked before anything is stored. A store that fails in between may have kept some: the
    same `seed` finds these again. Raises InvalidInput listing the refused fields of all items.
    """
    now = context.now()
    seed = seed or Seed.random(now)
    made = _made(context, items, now, seed)
    stored = schedules.enter(context, made)
    _queue(context, stored, now)
    return stored


def _made(
    context: Context, items: Sequence[Mapping[str, object]], now: datetime, seed: Seed
) -> list[Schedule]:
    errors: list[FieldError] = []
    made: list[Schedule] = []
    known: set[str] = set()
    for number, item in enumerate(items):
        try:
            values = rules.check_new(item, now=now)
            _require_calendars(context, values, known)
            made.append(schedules.new_schedule(context.settings, values, now, schedule_id=seed.id(number)))
        except InvalidInput as error:
            errors += [replace(each, field=f"{FIELD}[{number}].{each.field}") for each in error.fields]
    if errors:
        raise InvalidInput(errors[:_ERRORS_LISTED])
    return made


def _require_calendars(context: Context, values: Mapping[str, Any], known: set[str]) -> None:
    """Asks the store once for each name, not once for each schedule."""
    names = set(values.get("exclude_calendars") or ()) - known
    if names:
        schedule_fields.require_calendars(context, values)
        known |= names


def _queue(context: Context, stored: Sequence[Schedule], now: datetime) -> None:
    """Queue the current window, earliest first."""
    horizon = now + context.window
    due = [
        (each.next_run, each)
        for each in stored
        if each.state is ScheduleState.ACTIVE and each.next_run and each.next_run < horizon
    ]
    due.sort(key=lambda pair: pair[0])
    queued = 0
    for start in range(0, len(due), _SCHEDULES_PER_PASS):
        if queued >= _EVENTS_AT_ONCE:
            return
        part = [each for _, each in due[start : start + _SCHEDULES_PER_PASS]]
        queued += queue_window(context, part, now).queued
