"""An operation that broke off at any call is repaired by doing it again, and by the daemons."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from rrcli.core.models import Kind, Schedule
from rrcli.errors import NotFound, StoreUnavailable
from rrcli.operations import changes, events, schedules
from rrcli.operations.context import Context
from rrcli.operations.window import queue_window
from rrcli_daemons.prequeuer import Prequeuer
from tests.operations.breaking import breaking, breaking_in_parts
from tests.operations.standing import (
    NOON,
    archived,
    assert_in_agreement,
    firing,
    live,
    make,
    prequeue,
    queued,
    stored,
)
from tests.support.clock import FakeClock
from tests.support.leftovers import leftovers

MOST_CALLS = 30
STEPS_OF_A_PART = 3
"""Events, queue entries, watermarks."""
EVERY_OTHER_MINUTE = "FREQ=MINUTELY;INTERVAL=2"
Act = Callable[[Context, Schedule], object]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What is done to a schedule, after what."""

    act: Act
    before: list[Act] = field(default_factory=list)


def _pause(context: Context, schedule: Schedule) -> object:
    return changes.pause(context, schedule.id)


def _forget_queueing(context: Context, schedule: Schedule) -> None:
    """Stand where a prequeuer stands before its first tick."""
    schedules.forget(context, schedule.id)
    current = stored(context, schedule)
    fresh = replace(current, revision=current.revision + 1, next_run=NOON)
    assert context.repository.schedules.replace(fresh, expected_revision=current.revision)


OPERATIONS = {
    "queue_window": Operation(
        before=[_forget_queueing],
        act=lambda context, schedule: queue_window(context, [stored(context, schedule)], context.now()),
    ),
    "update of the rule": Operation(
        act=lambda context, schedule: changes.update(context, schedule.id, {"rrule": EVERY_OTHER_MINUTE})
    ),
    "update of the time zone": Operation(
        act=lambda context, schedule: changes.update(context, schedule.id, {"timezone": "Asia/Kolkata"})
    ),
    "pause": Operation(act=_pause),
    "resume": Operation(before=[_pause], act=lambda context, schedule: changes.resume(context, schedule.id)),
}


def broken_off(context: Context, operation: Operation, *, at: int, has_effect: bool) -> tuple[Schedule, bool]:
    """A new schedule to which the operation was done until the store broke; whether it did break."""
    schedule = make(context)
    for step in operation.before:
        step(context, schedule)
    once, repository = breaking(context, at=at, has_effect=has_effect)
    with suppress(StoreUnavailable):
        operation.act(once, schedule)
    return schedule, repository.broke


@pytest.mark.parametrize("has_effect", [False, True], ids=["before the effect", "after the effect"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_doing_it_again_repairs_what_broke_off(context: Context, name: str, has_effect: bool):
    operation = OPERATIONS[name]
    for at in range(MOST_CALLS):
        schedule, broke = broken_off(context, operation, at=at, has_effect=has_effect)
        if not broke:
            break
        operation.act(context, schedule)
        prequeue(context)
        assert_in_agreement(context, schedule)
    assert 1 < at < MOST_CALLS - 1


@pytest.mark.parametrize("has_effect", [False, True], ids=["before the effect", "after the effect"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_prequeuer_alone_repairs_what_broke_off(context: Context, name: str, has_effect: bool):
    operation = OPERATIONS[name]
    for at in range(MOST_CALLS):
        schedule, broke = broken_off(context, operation, at=at, has_effect=has_effect)
        if not broke:
            break
        prequeue(context)
        assert_in_agreement(context, schedule)


@pytest.mark.parametrize("has_effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_create_that_broke_off_leaves_a_whole_schedule_or_none(context: Context, has_effect: bool):
    for at in range(MOST_CALLS):
        once, repository = breaking(context, at=at, has_effect=has_effect)
        with suppress(StoreUnavailable):
            make(once, name=f"number {at}")
        prequeue(context)
        found = schedules.find(context, name=f"number {at}", limit=10).items
        assert len(found) == (0 if at == 0 and not has_effect else 1)
        for schedule in found:
            assert_in_agreement(context, schedule)
        if not repository.broke:
            break


@pytest.mark.parametrize("has_effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_trigger_that_broke_off_calls_once_or_not_at_all(context: Context, has_effect: bool):
    for at in range(MOST_CALLS):
        operation = Operation(act=lambda context, schedule: events.trigger(context, schedule.id))
        schedule, broke = broken_off(context, operation, at=at, has_effect=has_effect)
        prequeue(context)
        manual = [event.id for event in live(context, schedule) if event.kind is Kind.MANUAL]
        assert len(manual) <= 1
        assert set(manual) <= queued(context)
        assert_in_agreement(context, schedule)
        if not broke:
            assert manual
            break


@pytest.mark.parametrize("has_effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_delete_that_broke_off_leaves_nothing_once_it_is_repeated(context: Context, has_effect: bool):
    operation = Operation(
        before=[
            lambda context, schedule: changes.update(context, schedule.id, {"rrule": "FREQ=HOURLY"}),
        ],
        act=lambda context, schedule: schedules.delete(context, schedule.id),
    )
    for at in range(MOST_CALLS):
        schedule, broke = broken_off(context, operation, at=at, has_effect=has_effect)
        with suppress(NotFound):
            schedules.delete(context, schedule.id)
        assert leftovers(context.repository, schedule.id) == {}
        if not broke:
            break


@pytest.mark.parametrize("has_effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_cancel_that_broke_off_can_be_repeated(context: Context, has_effect: bool):
    for at in range(MOST_CALLS):
        schedule = make(context)
        event = live(context, schedule)[1]
        once, repository = breaking(context, at=at, has_effect=has_effect)
        with suppress(StoreUnavailable):
            events.cancel(once, event.id)
        if context.repository.events.get([event.id]):
            events.cancel(context, event.id)
        prequeue(context)
        assert event.run_time not in firing(context, schedule)
        assert [each.state for each in archived(context, schedule)] == ["cancelled"]
        if not repository.broke:
            break


def test_queueing_the_same_window_again_doubles_nothing(context: Context, clock: FakeClock):
    schedule = make(context)
    before = live(context, schedule)
    for _ in range(3):
        queue_window(context, [schedule], context.now())
    assert live(context, schedule) == before
    assert context.repository.queues.depths().ready == len(before)
    assert_in_agreement(context, schedule)


@pytest.mark.parametrize("has_effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_pass_in_two_parts_that_broke_off_anywhere_is_repaired(context: Context, has_effect: bool):
    """Between any two steps of the one and any two of the other: events, queue entries, watermarks."""
    made = [make(context, name=f"part {number}") for number in range(2)]
    reached: set[tuple[bool, bool]] = set()
    for at in range(MOST_CALLS):
        for others_at in range(STEPS_OF_A_PART + 1):
            for schedule in made:
                _forget_queueing(context, schedule)
            once, repository = breaking_in_parts(context, at=at, others_at=others_at, has_effect=has_effect)
            prequeuer = Prequeuer(once)
            with suppress(StoreUnavailable):
                prequeuer.run_once(once.now())
            prequeuer.finish()
            reached.add((repository.broke, repository.others.broke))
            prequeue(context)
            for schedule in made:
                assert_in_agreement(context, schedule)
        if not repository.broke:
            break
    assert at < MOST_CALLS - 1
    assert reached == {(True, True), (True, False), (False, True), (False, False)}
