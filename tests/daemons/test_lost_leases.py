"""A worker learns that its claims may be elsewhere, whatever it did since they were lost."""

import select
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

from rrcli.core.models import Event
from rrcli.errors import StoreUnavailable
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.operations.handover import AHEAD
from rrcli.operations.leases import RENEW_SECONDS, SETTLE_SECONDS
from rrcli.repository.mongo_redis_server import CONNECT_SECONDS, REDIS_SECONDS
from rrcli_daemons.loop import OUTAGE_WAIT_SECONDS
from rrcli_daemons.worker import REAP_INTERVAL_SECONDS, Worker
from tests.support.clock import FakeClock
from tests.support.receiver import Answer, Receiver
from tests.support.stack import wait_until
from tests.support.working import dispatch, work_until, working


def one_event(context: Context, target: Receiver) -> str:
    """The id of an event that waits in the worker queue."""
    fields = {"name": "s", "rrule": "FREQ=MINUTELY;COUNT=1", "callback_url": target.url("/hook")}
    made = schedules.create(context, fields)
    dispatch(context)
    return context.repository.events.unfinished(made.id)[0].id


def only_note(called: list[str], worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its calls are noted, not made, and never end."""
    monkeypatch.setattr(worker._sender, "submit", lambda calls: called.extend(key for key, _ in calls))


@contextmanager
def two_at_work(
    context: Context, called: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Worker, Worker]]:
    """Two workers, w1 and w2; the first has claimed what there was. Their calls go to `called`."""
    with working(context, "w1") as first, working(context, "w2") as second:
        for worker in (first, second):
            only_note(called, worker, monkeypatch)
            worker.run_once(context.now())
        yield first, second


def go_on(context: Context, clock: FakeClock, *workers: Worker) -> None:
    """Everybody works on, until all has settled and for as long again."""
    for _ in range(round(2 * SETTLE_SECONDS / RENEW_SECONDS)):
        clock.advance(timedelta(seconds=RENEW_SECONDS))
        dispatch(context)
        for worker in workers:
            worker.run_once(context.now())


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


@pytest.mark.parametrize("outage_after_seconds", [RENEW_SECONDS, REAP_INTERVAL_SECONDS])
def test_what_a_replica_offers_that_a_live_worker_is_calling_is_left_to_it(
    context: Context,
    clock: FakeClock,
    target: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    outage_after_seconds: float,
) -> None:
    """It took over without the newest claims, and another worker is back before the one that holds them.

    Whichever call it was that first met the outage.
    """
    event_id = one_event(context, target)
    queues = context.repository.queues
    called: list[str] = []
    with two_at_work(context, called, monkeypatch) as (first, second):
        clock.advance(timedelta(seconds=outage_after_seconds - RENEW_SECONDS))
        _take_over_without_claims(context, (first, second), clock, monkeypatch)
        second.run_once(context.now())
        assert queues.held("w2") == set()
        first.run_once(context.now())
        assert queues.held("w1") == {event_id}
        go_on(context, clock, second, first)
        assert (called, queues.held("w1")) == ([event_id], {event_id})


def test_another_server_is_noticed_without_any_error_when_a_connection_was_made_anew(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planned failover closes idle connections, and the driver makes new ones by itself, as in a claim."""
    event_id = one_event(context, target)
    queues = context.repository.queues
    called: list[str] = []
    with two_at_work(context, called, monkeypatch) as (_, second):
        queues.release("w1")
        claim, connections, incarnation = queues.claim, queues.connections(), queues.incarnation()

        def claimed_elsewhere(worker: str, limit: int, lease: timedelta, *, holding: bool) -> list[str]:
            monkeypatch.setattr(queues, "connections", lambda: connections + 1)
            monkeypatch.setattr(queues, "incarnation", lambda: f"{incarnation} of another server")
            return claim(worker, limit, lease, holding=holding)

        monkeypatch.setattr(queues, "claim", claimed_elsewhere)
        clock.advance(timedelta(seconds=1))
        second.run_once(context.now())
        assert called == [event_id]
        assert queues.held("w2") == set()


def test_a_worker_that_stops_while_the_queues_are_away_writes_its_results(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = one_event(context, target)
    repository = context.repository
    opened = threading.Event()
    target.answer("/hook", lambda _: Answer(status=200 if opened.wait(10) else 500))
    with working(context, "w1") as worker:
        work_until(worker, context, lambda: bool(target.requests))
        with monkeypatch.context() as away:
            for name in ("extend", "retake", "acknowledge", "reap", "retry"):
                away.setattr(repository.queues, name, _away)
            opened.set()
            for _ in range(100):
                clock.advance(timedelta(seconds=RENEW_SECONDS))
                with suppress(StoreUnavailable):
                    worker.finish()
                if repository.events.archived([event_id]):
                    break
                select.select(list(worker.sources), [], [], 0.1)
            assert repository.events.archived([event_id]) == {event_id}
        with suppress(StoreUnavailable):  # the last try of before, which is heard of only now
            worker.finish()


def test_what_a_batch_that_broke_off_did_not_reach_is_called_after_all(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger went away when it was asked what the last event of the batch overlaps."""
    repository = context.repository
    plain = [one_event(context, target) for _ in range(3)]
    fields = {"name": "s", "rrule": "FREQ=MINUTELY;COUNT=1", "callback_url": target.url("/hook")}
    queued = schedules.create(context, fields | {"overlap": "queue"})
    dispatch(context)
    last = repository.events.unfinished(queued.id)[0].id
    with working(context, "w1") as worker:
        with monkeypatch.context() as away:
            away.setattr(repository.events, "unfinished", _away)
            with suppress(StoreUnavailable):
                worker.run_once(context.now())
        work_until(worker, context, lambda: repository.events.archived([*plain, last]) == {*plain, last})
    assert len(target.requests) == 4


def test_what_a_replica_offers_is_called_when_nobody_claims_it_anew(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = one_event(context, target)
    called: list[str] = []
    with two_at_work(context, called, monkeypatch) as (first, second):
        _take_over_without_claims(context, (first, second), clock, monkeypatch)
        second.run_once(context.now())
        assert called == [event_id]
        clock.advance(timedelta(seconds=SETTLE_SECONDS) - AHEAD / 2)
        for _ in range(5):
            dispatch(context)
            second.run_once(context.now())
            clock.advance(AHEAD)
        assert called == [event_id, event_id]


def test_what_was_handed_over_after_a_replica_took_over_is_called_at_once(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    with working(context, "w1") as worker:
        only_note(called, worker, monkeypatch)
        worker.run_once(context.now())
        _take_over_without_claims(context, (worker,), clock, monkeypatch)
        worker.run_once(context.now())
        clock.advance(timedelta(seconds=1))
        event_id = one_event(context, target)
        worker.run_once(context.now())
    assert called == [event_id]


@pytest.mark.parametrize("met", ["reap", "claim"])
def test_claims_are_not_taken_back_right_after_an_outage(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, met: str
) -> None:
    """It may have outlasted every lease: live workers renew theirs first."""
    reaped: list[float] = []
    queues = context.repository.queues
    with working(context, "w1") as worker:
        clock.advance(timedelta(seconds=SETTLE_SECONDS))
        with monkeypatch.context() as away:
            away.setattr(queues, met, _away)
            with pytest.raises(StoreUnavailable):
                worker.run_once(context.now())
        back = clock.monotonic()
        monkeypatch.setattr(queues, "reap", lambda: reaped.append(clock.monotonic() - back) or 0)
        for _ in range(20):
            worker.run_once(context.now())
            clock.advance(timedelta(seconds=SETTLE_SECONDS / 10))
    assert reaped[0] >= SETTLE_SECONDS


def test_claims_are_not_taken_back_right_after_a_start(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be in the middle of an outage that has outlasted every lease."""
    reaped: list[float] = []
    began = clock.monotonic()
    monkeypatch.setattr(
        context.repository.queues, "reap", lambda: reaped.append(clock.monotonic() - began) or 0
    )
    with working(context, "w1") as worker:
        for _ in range(20):
            worker.run_once(context.now())
            clock.advance(timedelta(seconds=SETTLE_SECONDS / 10))
    assert reaped[0] >= SETTLE_SECONDS


@pytest.mark.parametrize("reading_seconds", [0.0, SETTLE_SECONDS])
def test_what_another_worker_holds_for_a_moment_is_claimed_anew_after_it(
    context: Context,
    clock: FakeClock,
    target: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    reading_seconds: float,
) -> None:
    """The replica offers it to another, which reads it, however slowly, while its own worker looks for it."""
    event_id = one_event(context, target)
    repository = context.repository
    called: list[str] = []
    with two_at_work(context, called, monkeypatch) as (first, second):
        _take_over_without_claims(context, (first, second), clock, monkeypatch)
        read = repository.events.claimed

        def read_slowly(ids: Sequence[str]) -> tuple[dict[str, Event], set[str]]:
            monkeypatch.setattr(repository.events, "claimed", read)
            for _ in range(2):
                first.run_once(context.now())
                clock.advance(timedelta(seconds=RENEW_SECONDS))
            assert repository.queues.held("w2") == {event_id}
            clock.advance(timedelta(seconds=reading_seconds))
            return read(ids)

        monkeypatch.setattr(repository.events, "claimed", read_slowly)
        second.run_once(context.now())
        go_on(context, clock, second, first)
        assert (called, repository.queues.held("w1")) == ([event_id], {event_id})


def test_what_a_worker_claimed_in_an_outage_of_the_ledger_is_left_to_who_calls_it(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it finds it again as its own, when all should have settled."""
    event_id = one_event(context, target)
    repository = context.repository
    called: list[str] = []
    with two_at_work(context, called, monkeypatch) as (first, second):
        _take_over_without_claims(context, (first, second), clock, monkeypatch)
        with monkeypatch.context() as away:
            away.setattr(repository.events, "claimed", _away)
            with pytest.raises(StoreUnavailable):
                second.run_once(context.now())
        clock.advance(timedelta(seconds=SETTLE_SECONDS))
        go_on(context, clock, second, first)
        assert (called, repository.queues.held("w1")) == ([event_id], {event_id})


def test_a_worker_that_is_back_late_finds_its_claim_in_time(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its renewal went to a host that had gone silently, and its next try came after the longest wait."""
    event_id = one_event(context, target)
    queues = context.repository.queues
    called: list[str] = []
    with two_at_work(context, called, monkeypatch) as (first, second):
        _take_over_without_claims(context, (first, second), clock, monkeypatch)
        second.run_once(context.now())
        clock.advance(timedelta(seconds=REDIS_SECONDS + OUTAGE_WAIT_SECONDS[1] + CONNECT_SECONDS))
        dispatch(context)
        second.run_once(context.now())
        assert called == [event_id]
        first.run_once(context.now())
        assert queues.held("w1") == {event_id}


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
