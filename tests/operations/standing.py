"""How a schedule stands in ledger and queues, and what the daemons would do next."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rrcli.core.models import Event, EventState, Kind, Schedule
from rrcli.operations import schedules, stale
from rrcli.operations.context import Context
from rrcli.operations.rules import recurrence_of
from rrcli_daemons.prequeuer import Prequeuer

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
URL = "http://127.0.0.1:9/hook"
ALWAYS = timedelta(days=36_500)

# For what is decided before any store is asked: one backend is enough.
on_one_store = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def after(seconds: float) -> datetime:
    """The instant `seconds` after NOON."""
    return NOON + timedelta(seconds=seconds)


def minutes(*numbers: float) -> list[datetime]:
    """Instants whole minutes after NOON."""
    return [after(60 * number) for number in numbers]


def make(context: Context, rrule: str = "FREQ=MINUTELY", **fields: Any) -> Schedule:
    """A schedule as a person creates it."""
    return schedules.create(context, {"name": "a", "rrule": rrule, "callback_url": URL} | fields)


def prequeue(context: Context) -> None:
    """What a prequeuer does when it starts: put ledger and queues in agreement, then fill the window."""
    prequeuer = Prequeuer(context)
    now = context.now()
    while (more := prequeuer.run_once(now)) is not None and more <= now:
        pass


def live(context: Context, schedule: Schedule) -> list[Event]:
    """The live events, by run time."""
    return list(context.repository.events.pending(schedule.id, limit=1000).items)


def archived(context: Context, schedule: Schedule, state: EventState | None = None) -> list[Event]:
    """The archived events, by run time."""
    items = context.repository.events.history(schedule.id, limit=1000).items
    return [event for event in reversed(items) if state in (None, event.state)]


def run_times(events: Iterable[Event]) -> list[datetime]:
    return [event.run_time for event in events]


def queued(context: Context) -> set[str]:
    """Every id in the ready queue, of all schedules."""
    return set(context.repository.queues.due(context.now() + ALWAYS, 10_000))


def stored(context: Context, schedule: Schedule) -> Schedule:
    """The schedule as it is now."""
    return schedules.get(context, schedule.id)


def firing(context: Context, schedule: Schedule) -> list[datetime]:
    """The occurrences that stand in the ready queue and may fire."""
    ids = queued(context)
    current = stored(context, schedule)
    return run_times(
        event
        for event in live(context, schedule)
        if event.kind is Kind.SCHEDULED and event.id in ids and stale.may_fire(current, event)
    )


def assert_in_agreement(context: Context, schedule: Schedule) -> None:
    """Ledger, queue and watermark say the same, and what they say is what the rule says."""
    current = stored(context, schedule)
    horizon = context.now() + context.window
    expected: list[datetime] = []
    if current.state == "active":
        expected = recurrence_of(current).between(context.now(), horizon, 1000)
        assert current.next_run == recurrence_of(current).after(horizon, inclusive=True)
    assert firing(context, schedule) == expected
    assert {event.id for event in live(context, schedule)} <= queued(context)
    ended = {event.id for event in archived(context, schedule)}
    assert not ended & queued(context)
