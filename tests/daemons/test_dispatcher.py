"""The dispatcher: due entries move, and every crash on the way is mended by the next pass."""

from datetime import timedelta

import pytest

from rrcli.core.models import EventState
from rrcli.operations import events, schedules
from rrcli.operations.context import Context
from rrcli.repository.base import QueueEntry
from rrcli_daemons import dispatcher as dispatchers
from rrcli_daemons.dispatcher import Dispatcher
from tests.support.clock import FakeClock


def make(context: Context, rrule: str) -> str:
    data = {"name": "s", "rrule": rrule, "callback_url": "http://127.0.0.1:9/"}
    return schedules.create(context, data).id


def states(context: Context, schedule_id: str) -> list[EventState]:
    return [event.state for event in events.pending(context, schedule_id, limit=100).items]


def test_moves_what_is_due_and_says_when_the_next_is(context: Context, clock: FakeClock) -> None:
    schedule_id = make(context, "FREQ=MINUTELY;COUNT=4")
    clock.advance(timedelta(seconds=61))
    ahead = dispatchers.AHEAD / 2
    assert Dispatcher(context).run_once(context.now()) == context.now() + timedelta(seconds=59) - ahead
    assert states(context, schedule_id) == ["worker_queue", "worker_queue", "ready_queue", "ready_queue"]
    depths = context.repository.queues.depths()
    assert (depths.ready, depths.worker) == (2, 2)


def test_the_ledger_is_told_a_moment_ahead_and_the_entry_moves_in_time(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule_id = make(context, "FREQ=MINUTELY;COUNT=2")
    dispatcher = Dispatcher(context)
    dispatcher.run_once(context.now())
    ahead = dispatchers.AHEAD / 2
    clock.advance(timedelta(minutes=1) - ahead)
    assert dispatcher.run_once(context.now()) == context.now() + ahead
    assert states(context, schedule_id) == ["worker_queue", "worker_queue"]
    assert context.repository.queues.depths().worker == 1
    monkeypatch.setattr(context.repository.events, "dispatched", None)
    clock.advance(ahead)
    dispatcher.run_once(context.now())
    assert context.repository.queues.depths().worker == 2


def test_what_is_withdrawn_after_the_ledger_was_told_is_not_handed_over(
    context: Context, clock: FakeClock
) -> None:
    make(context, "FREQ=MINUTELY;COUNT=2")
    dispatcher = Dispatcher(context)
    clock.advance(timedelta(minutes=1) - dispatchers.AHEAD / 2)
    dispatcher.run_once(context.now())
    context.repository.queues.withdraw(context.repository.queues.due(context.now() + dispatchers.AHEAD, 9))
    clock.advance(dispatchers.AHEAD)
    assert dispatcher.run_once(context.now()) is None
    assert dispatcher.counters()["dispatched"] == 1


def test_a_retry_that_is_due_again_at_once_is_told_to_the_ledger_again(
    context: Context, clock: FakeClock
) -> None:
    """When the queues are lost, its state says whether somebody may be calling it."""
    schedule_id = make(context, "FREQ=MINUTELY;COUNT=2")
    repository = context.repository
    dispatcher = Dispatcher(context)
    clock.advance(timedelta(minutes=1) - dispatchers.AHEAD / 2)
    dispatcher.run_once(context.now())
    clock.advance(dispatchers.AHEAD / 2)
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
