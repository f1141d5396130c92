"""A worker learns that its claims may be elsewhere, whatever it did since they were lost."""

import select
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest

from rrcli.errors import StoreUnavailable
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.operations.leases import RENEW_SECONDS, SETTLE_SECONDS
from rrcli_daemons.worker import Worker
from tests.support.clock import FakeClock
from tests.support.receiver import Receiver
from tests.support.stack import wait_until
from tests.support.working import dispatch, work_until, working


def one_event(context: Context, target: Receiver) -> str:
    """The id of an event that waits in the worker queue."""
    fields = {"name": "s", "rrule": "FREQ=MINUTELY;COUNT=1", "callback_url": target.url("/hook")}
    made = schedules.create(context, fields)
    dispatch(context)
    return context.repository.events.unfinished(made.id)[0].id


def test_a_claim_after_the_queues_were_lost_hides_no_loss(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may come first, and would make a lease anew that seems never to have ended."""
    event_id = one_event(context, target)
    queues = context.repository.queues
    with working(context, "w1") as worker:
        monkeypatch.setattr(worker._sender, "submit", lambda calls: None)
        work_until(worker, context, lambda: bool(worker._claimed))
        worker.run_once(context.now())
        queues.release("w1")
        queues.withdraw([event_id])
        clock.advance(timedelta(seconds=RENEW_SECONDS / 4))
        worker.run_once(context.now())
        clock.advance(timedelta(seconds=RENEW_SECONDS))
        worker.run_once(context.now())
        assert queues.held("w1") == {event_id}


def test_what_is_being_called_already_is_not_called_twice_by_the_same_worker(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker took it back while this one stood still, and this one claims before it knows."""
    event_id = one_event(context, target)
    queues = context.repository.queues
    submitted: list[str] = []
    with working(context, "w1") as worker:
        monkeypatch.setattr(worker._sender, "submit", lambda calls: submitted.extend(key for key, _ in calls))
        work_until(worker, context, lambda: bool(worker._claimed))
        worker.run_once(context.now())
        queues.release("w1")
        for _ in range(4):
            worker.run_once(context.now())
            clock.advance(timedelta(seconds=RENEW_SECONDS))
        assert submitted == [event_id]
        assert queues.held("w1") == {event_id}


def test_what_ended_while_the_queues_are_away_is_in_the_ledger_before_they_are_back(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replica that takes over without the newest claims offers it to another worker, which looks there."""
    event_id = one_event(context, target)
    repository = context.repository
    with working(context, "w1") as worker:
        work_until(worker, context, lambda: bool(worker._claimed))
        with monkeypatch.context() as away:
            for name in ("extend", "retake", "claim", "acknowledge", "reap"):
                away.setattr(repository.queues, name, _away)
            wait_until(lambda: bool(target.requests), what="the call")
            for _ in range(200):
                clock.advance(timedelta(seconds=RENEW_SECONDS))
                with pytest.raises(StoreUnavailable):
                    worker.run_once(context.now())
                if repository.events.archived([event_id]):
                    break
                select.select(list(worker.sources), [], [], 0.1)
            assert repository.events.archived([event_id]) == {event_id}
        with suppress(StoreUnavailable):  # the last try of before, which is heard of only now
            worker.run_once(context.now())
        work_until(worker, context, lambda: not repository.queues.depths().in_flight)
    assert len(target.requests) == 1


def _away(*_: object, **__: object) -> None:
    raise StoreUnavailable("away")


def test_what_a_replica_offers_that_a_live_worker_is_calling_is_left_to_it(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took over without the newest claims, and another worker is back before the one that holds them."""
    event_id = one_event(context, target)
    queues = context.repository.queues
    called: list[str] = []
    with working(context, "w1") as first, working(context, "w2") as second:
        for worker in (first, second):
            monkeypatch.setattr(
                worker._sender, "submit", lambda calls: called.extend(key for key, _ in calls)
            )
            worker.run_once(context.now())
        _take_over_without_claims(context, (first, second), clock, monkeypatch)
        second.run_once(context.now())
        assert queues.held("w2") == set()
        first.run_once(context.now())
        assert queues.held("w1") == {event_id}
        for _ in range(5):
            clock.advance(timedelta(seconds=SETTLE_SECONDS / 2))
            for worker in (second, first):
                worker.run_once(context.now())
            dispatch(context)
        assert (called, queues.held("w1")) == ([event_id], {event_id})


def test_what_a_replica_offers_is_called_when_nobody_claims_it_anew(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = one_event(context, target)
    called: list[str] = []
    with working(context, "w1") as first, working(context, "w2") as second:
        for worker in (first, second):
            monkeypatch.setattr(
                worker._sender, "submit", lambda calls: called.extend(key for key, _ in calls)
            )
            worker.run_once(context.now())
        _take_over_without_claims(context, (first, second), clock, monkeypatch)
        second.run_once(context.now())
        assert called == [event_id]
        clock.advance(timedelta(seconds=SETTLE_SECONDS))
        dispatch(context)
        second.run_once(context.now())
        assert called == [event_id, event_id]


def test_what_was_handed_over_after_a_replica_took_over_is_called_at_once(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    with working(context, "w1") as worker:
        monkeypatch.setattr(worker._sender, "submit", lambda calls: called.extend(key for key, _ in calls))
        worker.run_once(context.now())
        _take_over_without_claims(context, (worker,), clock, monkeypatch)
        worker.run_once(context.now())
        clock.advance(timedelta(seconds=1))
        event_id = one_event(context, target)
        worker.run_once(context.now())
    assert called == [event_id]


def test_claims_are_not_taken_back_right_after_an_outage(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have outlasted every lease: live workers renew theirs first."""
    reaped: list[float] = []
    queues = context.repository.queues
    with working(context, "w1") as worker:
        with monkeypatch.context() as away:
            away.setattr(queues, "reap", _away)
            with pytest.raises(StoreUnavailable):
                worker.run_once(context.now())
        back = clock.monotonic()
        monkeypatch.setattr(queues, "reap", lambda: reaped.append(clock.monotonic() - back) or 0)
        for _ in range(20):
            worker.run_once(context.now())
            clock.advance(timedelta(seconds=SETTLE_SECONDS / 10))
    assert reaped[0] >= SETTLE_SECONDS


def _take_over_without_claims(
    context: Context, workers: Sequence[Worker], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage that all see; then another server, to which no claim of the first worker had come."""
    queues = context.repository.queues
    clock.advance(timedelta(seconds=RENEW_SECONDS))
    with monkeypatch.context() as away:
        for name in ("extend", "retake", "claim", "acknowledge", "reap", "held"):
            away.setattr(queues, name, _away)
        for worker in workers:
            with pytest.raises(StoreUnavailable):
                worker.run_once(context.now())
    queues.release("w1")
    clock.advance(timedelta(seconds=1))
    monkeypatch.setattr(queues, "incarnation", lambda: "another")
