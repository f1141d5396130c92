"""Laws of audit and replay, over random histories and over a month of minutes."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rrcli.core.models import Attempt, EventState, Kind, Schedule
from rrcli.errors import Conflict
from rrcli.operations import audit, changes, events, replay, skips
from rrcli.operations.context import Context
from rrcli.operations.replay import Only
from rrcli.operations.window import scheduled_event
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings
from tests.contract.samples import schedule as sample
from tests.operations.standing import NOON, archived, live, make, prequeue, stored
from tests.support.clock import FakeClock

RULES = (
    "FREQ=MINUTELY",
    "FREQ=MINUTELY;INTERVAL=7",
    "FREQ=SECONDLY;INTERVAL=90",
    "FREQ=HOURLY;BYMINUTE=5,35",
)
POLICIES = ("all", "latest", "skip")
Act = Callable[[Context, Schedule], object]


def advance(seconds: int) -> Act:
    def act(context: Context, schedule: Schedule) -> None:
        assert isinstance(context.clock, FakeClock)
        context.clock.advance(timedelta(seconds=seconds))
        prequeue(context)

    return act


def work(state: EventState, number: int) -> Act:
    """The first events that are due end, as a worker ends them."""

    def act(context: Context, schedule: Schedule) -> None:
        now = context.now()
        due = [event for event in live(context, schedule) if event.due <= now][:number]
        context.repository.queues.withdraw([event.id for event in due])
        context.repository.events.archive([event.moved(state, now, "It ended") for event in due], now)

    return act


def cancel(context: Context, schedule: Schedule) -> None:
    if waiting := live(context, schedule):
        events.cancel(context, waiting[0].id)


def change(rule: str) -> Act:
    return lambda context, schedule: changes.update(context, schedule.id, {"rrule": rule})


ACTS = st.one_of(
    st.integers(1, 3000).map(advance),
    st.builds(work, st.sampled_from([EventState.COMPLETED, EventState.ERROR]), st.integers(1, 8)),
    st.sampled_from(RULES).map(change),
    st.sampled_from(
        [
            cancel,
            lambda context, schedule: changes.pause(context, schedule.id),
            lambda context, schedule: changes.resume(context, schedule.id),
            lambda context, schedule: events.trigger(context, schedule.id),
            lambda context, schedule: skips.skip(context, schedule.id, count=3),
            lambda context, schedule: skips.unskip(context, schedule.id),
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    rule=st.sampled_from(RULES),
    policy=st.sampled_from(POLICIES),
    history=st.lists(ACTS, max_size=12),
    data=st.data(),
)
def test_a_history_without_crashes_lacks_nothing_and_is_replayed_once(
    rule: str, policy: str, history: list[Act], data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder, SqliteRepository.open(Path(folder, "store.db")) as repository:
        context = Context(repository=repository, clock=FakeClock(NOON), settings=Settings())
        schedule = make(context, rule, misfire={"policy": policy})
        for act in history:
            with suppress(Conflict):
                act(context, schedule)
            made = audit.report(context, schedule.id, NOON, context.now() + timedelta(seconds=1))
            assert made.missing == []
            assert sum(made.outcomes.values()) == made.instants
        prove_once(context, schedule, data.draw(st.sampled_from(list(Only))), data.draw(st.booleans()))


def prove_once(context: Context, schedule: Schedule, only: Only, end: bool) -> None:
    """The same replay twice enters what the first has entered, also when that has ended, and failed."""
    until = context.now() + timedelta(seconds=1)
    planned = []
    for _ in range(2):
        current = stored(context, schedule)
        tally, chosen = replay.plan(context, current, NOON, until, only=only)
        assert sum(replay.enter(context, current, chosen)) == tally.planned
        planned.append(tally.planned)
        waiting = [event for event in live(context, schedule) if event.kind in _ASKED_FOR]
        failed = [event.moved(EventState.ERROR, context.now(), "It failed") for event in waiting if end]
        context.repository.events.archive(failed, context.now())
    made = [*live(context, schedule), *archived(context, schedule)]
    assert planned[1] == 0
    assert sum(event.kind in _ASKED_FOR for event in made) == planned[0]


_ASKED_FOR = (Kind.REPLAY, Kind.BACKFILL)


def test_a_month_of_minutes_takes_seconds(context: Context, clock: FakeClock) -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)
    schedule = sample(
        rrule="DTSTART:20260101T000000Z\nRRULE:FREQ=MINUTELY",
        created_at=start,
        updated_at=start,
        next_run=end,
    )
    context.repository.schedules.add([schedule])
    for hour in range(0, 30 * 24, 24):
        first = start + timedelta(hours=hour)
        day = [
            scheduled_event(schedule, first + timedelta(minutes=minute), start) for minute in range(24 * 60)
        ]
        called = Attempt(time=start, duration_ms=3.0, status_code=200)
        done = [replace(each, attempts=(called,)).moved(EventState.COMPLETED, start, "Done") for each in day]
        context.repository.events.archive(done, start)
    began = clock_of_the_machine()
    made = audit.report(context, schedule.id, start, end)
    assert clock_of_the_machine() - began < 30
    assert made.outcomes == {"completed": 43_200}


def clock_of_the_machine() -> float:
    from rrcli.clock import SystemClock

    return SystemClock().monotonic()


@pytest.mark.parametrize("days", [1, 30])
def test_what_an_audit_holds_does_not_grow_with_the_range(days: int) -> None:
    """Instants and rows are made as they are read: the first rows of a year come at once."""
    with TemporaryDirectory() as folder, SqliteRepository.open(Path(folder, "store.db")) as repository:
        context = Context(repository=repository, clock=FakeClock(NOON), settings=Settings())
        schedule = make(context, "DTSTART:20200101T000000Z\nRRULE:FREQ=SECONDLY")
        _, rows = audit.audit(context, schedule, NOON - timedelta(days=days), NOON)
        assert [next(rows).outcome for _ in range(3)] == ["before_creation"] * 3
