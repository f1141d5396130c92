"""The dispatcher: due entries move, and every crash on the way is mended by the next pass."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest

from rrcli.core.models import EventState
from rrcli.operations import events, schedules
from rrcli.operations.context import Context
from rrcli.operations.handover import AHEAD
from rrcli.repository.base import QueueEntry
from rrcli_daemons import dispatcher as dispatchers
from rrcli_daemons.dispatcher import Dispatcher
from tests.support.clock import FakeClock


def make(context: Context, rrule: str, **fields: Any) -> str:
    data = {"name": "s", "rrule": rrule, "callback_url": "http://127.0.0.1:9/"}
    return schedules.create(context, data | fields).id


def states(context: Context, schedule_id: str) -> list[EventState]:
    return [event.state for event in events.pending(context, schedule_id, limit=100).items]


def test_moves_what_is_due_and_says_when_the_next_is(context: Context, clock: FakeClock) -> None:
    schedule_id = make(context, "FREQ=MINUTELY;COUNT=4")
    clock.advance(timedelta(seconds=61))
    expected = context.now() + timedelta(seconds=59) - AHEAD / 2
    assert Dispatcher(context).run_once(context.now()) == expected
    assert states(context, schedule_id) == ["worker_queue", "worker_queue", "ready_queue", "ready_queue"]
    depths = context.repository.queues.depths()
    assert (depths.ready, depths.worker) == (2, 2)


def test_an_event_is_handed_over_a_moment_ahead_and_no_earlier(context: Context, clock: FakeClock) -> None:
    schedule_id = make(context, "FREQ=MINUTELY;COUNT=2")
    dispatcher = Dispatcher(context)
    next_at = dispatcher.run_once(context.now())
    assert next_at == context.now() + timedelta(minutes=1) - AHEAD / 2
    clock.advance(timedelta(minutes=1) - AHEAD - timedelta(milliseconds=1))
    assert dispatcher.run_once(context.now()) == next_at
    assert states(context, schedule_id) == ["worker_queue", "ready_queue"]
    clock.advance(timedelta(milliseconds=1))
    assert dispatcher.run_once(context.now()) is None
    assert states(context, schedule_id) == ["worker_queue", "worker_queue"]
    assert context.repository.queues.depths().worker == 2


def test_what_is_due_shortly_after_another_comes_along_with_it(context: Context, clock: FakeClock) -> None:
    for number in range(20):
        make(context, "FREQ=MINUTELY;COUNT=1", name=f"s{number}", jitter_seconds=1)
    dispatcher = Dispatcher(context)
    passes = 0
    while (more := dispatcher.run_once(context.now())) is not None:
        passes += 1
        clock.advance(more - context.now())
    assert context.repository.queues.depths().worker == 20
    assert passes <= timedelta(seconds=1) / (AHEAD / 2)


def test_runs_asked_for_one_by_one_move_in_small_groups(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that comes while the others move is seen a little later, not at once."""
    schedule_id = make(context, "FREQ=DAILY;BYHOUR=1")
    promote = context.repository.queues.promote

    def while_another_comes(ids: Collection[str]) -> int:
        monkeypatch.undo()
        events.trigger(context, schedule_id)
        return promote(ids)

    events.trigger(context, schedule_id)
    monkeypatch.setattr(context.repository.queues, "promote", while_another_comes)
    assert Dispatcher(context).run_once(context.now()) == context.now() + dispatchers.PACE


def test_a_retry_that_is_due_again_at_once_is_told_to_the_ledger_again(
    context: Context, clock: FakeClock
) -> None:
    """When the queues are lost, its state says whether somebody may be calling it."""
    schedule_id = make(context, "FREQ=MINUTELY;COUNT=2")
    repository = context.repository
    dispatcher = Dispatcher(context)
    clock.advance(timedelta(minutes=1) - AHEAD / 2)
    dispatcher.run_once(context.now())
    held = repository.queues.claim("w1", 9, timedelta(minutes=1))
    again = repository.events.get(held)[held[-1]].moved(EventState.RETRY, context.now(), "failed")
    repository.events.save([again])
    repository.queues.retry("w1", [QueueEntry(event_id=again.id, due=again.due)])
    dispatcher.run_once(context.now())
    assert repository.queues.depths().worker == 1
    assert states(context, schedule_id) == ["worker_queue", "worker_queue"]


def test_an_empty_queue_means_wait_for_a_wake_up(context: Context) -> None:
    assert Dispatcher(context).run_once(context.now()) is None


def test_a_long_backlog_is_moved_in_batches(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatchers, "EVENTS_PER_PASS", 3)
    make(context, "FREQ=SECONDLY;COUNT=7")
    context.clock.advance(timedelta(seconds=10))  # type: ignore[attr-defined]
    dispatcher = Dispatcher(context)
    moves = []
    while (more := dispatcher.run_once(context.now())) is not None:
        assert more <= context.now()
        moves.append(context.repository.queues.depths().worker)
    assert [*moves, context.repository.queues.depths().worker] == [3, 6, 7]


def test_a_crash_between_ledger_and_queue_is_mended_by_the_next_pass(context: Context) -> None:
    schedule_id = make(context, "FREQ=MINUTELY;COUNT=1")
    ids = context.repository.queues.due(context.now(), 10)
    context.repository.events.dispatched(ids, context.now(), due_by=context.now())
    Dispatcher(context).run_once(context.now())
    (event,) = events.pending(context, schedule_id, limit=1).items
    assert [str(step.status) for step in event.status] == ["ready_queue", "worker_queue"]
    assert context.repository.queues.depths().worker == 1


def test_two_dispatchers_hand_an_event_over_once(context: Context) -> None:
    make(context, "FREQ=MINUTELY;COUNT=1")
    first, second = Dispatcher(context), Dispatcher(context)
    first.run_once(context.now())
    second.run_once(context.now())
    assert context.repository.queues.depths().worker == 1
    assert first.counters()["dispatched"] + second.counters()["dispatched"] == 1
