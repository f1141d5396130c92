"""Replies that are lost after the queues did what was asked: nothing is called twice, no retry is lost."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest

from rrcli.core.models import Event, EventState
from rrcli.errors import StoreUnavailable
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.operations.leases import RENEW_SECONDS
from rrcli.repository.base import QueueEntry
from rrcli_daemons.dispatcher import Dispatcher
from rrcli_daemons.results import Results
from tests.support.clock import FakeClock
from tests.support.receiver import Answer, Receiver
from tests.support.stack import wait_until
from tests.support.working import dispatch, work_until, working

LEASE = timedelta(minutes=1)


def one_event(context: Context, url: str = "http://127.0.0.1:9/") -> Event:
    """An event that waits in the worker queue; its retries are due half a second later."""
    made = schedules.create(context, {"name": "s", "rrule": "FREQ=MINUTELY;COUNT=1", "callback_url": url})
    dispatch(context)
    return context.repository.events.unfinished(made.id)[0]


def failed(context: Context, event: Event) -> Event:
    """The event after an attempt that is to be made again at once."""
    return event.moved(EventState.RETRY, context.now(), "failed", due=context.now())


def test_a_retry_whose_reply_was_lost_leaves_what_happened_since(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker has called it meanwhile; its attempt must stay in the ledger."""
    event = one_event(context)
    repository = context.repository
    assert repository.queues.claim("w1", 1, LEASE) == [event.id]
    results = Results(context, "w1")
    results.again(failed(context, event))
    move = repository.queues.retry

    def lost(worker: str, entries: Sequence[QueueEntry]) -> None:
        move(worker, entries)
        raise StoreUnavailable("the reply was lost")

    try:
        with monkeypatch.context() as patched:
            patched.setattr(repository.queues, "retry", lost)
            with pytest.raises(StoreUnavailable):
                results.write_all(context.now())
        assert [each.id for each in results.unwritten] == [event.id]
        dispatch(context)
        assert repository.queues.claim("w2", 1, LEASE) == [event.id]
        results.write_all(context.now())
        assert not results.unwritten
    finally:
        results.close()
    assert repository.events.get([event.id])[event.id].state is EventState.WORKER
    assert repository.queues.held("w2") == {event.id}


def test_a_retry_that_comes_back_before_its_reply_is_lost_is_called_once(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same worker claims it again while it does not know yet whether it gave it up."""
    target.answer("/hook", Answer(status=503))
    event = one_event(context, target.url("/hook"))
    queues = context.repository.queues
    move, take = queues.retry, queues.claim
    moved, taken = threading.Event(), threading.Event()

    def lost(worker: str, entries: Sequence[QueueEntry]) -> None:
        move(worker, entries)
        moved.set()
        taken.wait(10)
        raise StoreUnavailable("the reply was lost")

    def claim(worker: str, limit: int, lease: timedelta, *, holding: bool = False) -> list[str]:
        if len(first._results):
            moved.wait(10)
            clock.advance(timedelta(seconds=1))
            dispatch(context)
        claimed = take(worker, limit, lease, holding=holding)
        if claimed:
            taken.set()
        return claimed

    with working(context, "w1") as first, working(context, "w2") as second:
        work_until(first, context, lambda: bool(first._claimed))
        wait_until(lambda: bool(target.requests), what="the call")
        called: list[str] = []
        for worker in (first, second):
            monkeypatch.setattr(
                worker._sender, "submit", lambda calls: called.extend(event_id for event_id, _ in calls)
            )
        with monkeypatch.context() as patched:
            patched.setattr(queues, "retry", lost)
            patched.setattr(queues, "claim", claim)
            with suppress(StoreUnavailable):
                work_until(first, context, lambda: False)
        assert taken.is_set()
        for _ in range(5):
            for worker in (first, second):
                clock.advance(timedelta(seconds=RENEW_SECONDS))
                with suppress(StoreUnavailable):
                    worker.run_once(context.now())
                dispatch(context)
    assert called == [event.id]


def test_what_a_worker_calls_is_handed_over_in_the_ledger_whatever_its_dispatcher_knew(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two dispatchers that both told the ledger, one moves it again without telling: it was a retry since.

    When the queues are lost, its state says whether somebody may be calling it.
    """
    repository = context.repository
    made = schedules.create(
        context, {"name": "s", "rrule": "FREQ=MINUTELY;COUNT=2", "callback_url": target.url("/hook")}
    )
    dispatch(context)
    first, second = Dispatcher(context), Dispatcher(context)
    clock.advance(timedelta(seconds=59.95))
    for dispatcher in (first, second):
        dispatcher.run_once(context.now())
    clock.advance(timedelta(seconds=0.05))
    first.run_once(context.now())
    held = repository.queues.claim("w1", 9, LEASE)
    again = failed(context, repository.events.get(held)[held[-1]])
    repository.events.save([again])
    repository.queues.retry("w1", [QueueEntry(event_id=again.id, due=again.due)])
    second.run_once(context.now())
    with working(context, "w2") as worker:
        monkeypatch.setattr(worker._sender, "submit", lambda calls: None)
        work_until(worker, context, lambda: again.id in worker._claimed)
        steps = [step.status for step in repository.events.get([again.id])[again.id].status]
        assert steps == ["ready_queue", "worker_queue", "retry", "worker_queue"]
        assert worker._claimed[again.id][0] == repository.events.get([again.id])[again.id]
    assert made.id == again.schedule_id
