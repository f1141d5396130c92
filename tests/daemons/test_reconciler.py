"""The reconciler: what is lost is queued again, soon and once; what is being called is not called twice."""

from datetime import timedelta

import pytest

from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.operations.leases import SETTLE_SECONDS
from rrcli_daemons import reconciler as module
from rrcli_daemons.reconciler import FRESH, INTERVAL_SECONDS, Reconciler
from tests.support.clock import FakeClock
from tests.support.receiver import Receiver
from tests.support.working import dispatch, work_until, working

LEASE = timedelta(hours=1)


def make(context: Context) -> list[str]:
    """Ids of the ten events of a new schedule, all in the ready queue."""
    fields = {"name": "s", "rrule": "FREQ=MINUTELY", "callback_url": "http://127.0.0.1:9/"}
    schedule = schedules.create(context, fields)
    return [event.id for event in context.repository.events.unfinished(schedule.id)]


def lose(context: Context, monkeypatch: pytest.MonkeyPatch, token: str = "another") -> None:
    """All queues are empty, and say that they are others."""
    queues = context.repository.queues
    queues.release("w1")
    queues.withdraw([event.id for event in context.repository.events.live(after_id="", limit=1000)])
    monkeypatch.setattr(queues, "incarnation", lambda: token)


def run(reconciler: Reconciler, context: Context) -> None:
    while reconciler.step(context.now()):
        pass


def whole(context: Context, clock: FakeClock) -> Reconciler:
    """A reconciler that has found everything in order."""
    reconciler = Reconciler(context)
    run(reconciler, context)
    clock.advance(timedelta(seconds=SETTLE_SECONDS))
    run(reconciler, context)
    return reconciler


def test_lost_queues_are_filled_again_at_once(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = make(context)
    reconciler = whole(context, clock)
    lose(context, monkeypatch)
    run(reconciler, context)
    assert context.repository.queues.missing(ids) == set()
    assert reconciler.total == len(ids)


def test_what_workers_may_be_calling_waits_for_them_to_say_so(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = make(context)
    dispatch(context)
    reconciler = whole(context, clock)
    queues = context.repository.queues
    assert queues.claim("w1", 1, LEASE) == ids[:1]
    lose(context, monkeypatch)
    run(reconciler, context)
    assert queues.missing(ids) == {ids[0]}
    clock.advance(timedelta(seconds=SETTLE_SECONDS))
    run(reconciler, context)
    assert queues.missing(ids) == set()


def test_a_live_worker_keeps_what_it_calls_when_the_queues_are_lost(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = make(context)
    dispatch(context)
    reconciler = whole(context, clock)
    queues = context.repository.queues
    with working(context, "w1") as worker:
        monkeypatch.setattr(worker._sender, "submit", lambda calls: None)
        work_until(worker, context, lambda: bool(worker._claimed))
        lose(context, monkeypatch)
        clock.advance(timedelta(seconds=SETTLE_SECONDS / 2))
        worker.run_once(context.now())
        assert queues.held("w1") == {ids[0]}
        clock.advance(timedelta(seconds=SETTLE_SECONDS))
        run(reconciler, context)
        assert queues.held("w1") == {ids[0]}
        assert queues.depths().worker == 0


def test_an_event_on_its_way_is_left_to_who_moves_it(context: Context, clock: FakeClock) -> None:
    reconciler = whole(context, clock)
    clock.advance(timedelta(seconds=INTERVAL_SECONDS))
    ids = make(context)
    context.repository.queues.withdraw(ids)
    run(reconciler, context)
    assert context.repository.queues.missing(ids) == set(ids)
    clock.advance(max(FRESH, timedelta(seconds=INTERVAL_SECONDS)))
    run(reconciler, context)
    assert context.repository.queues.missing(ids) == set()


def test_two_reconcilers_queue_a_lost_event_once(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = make(context)
    both = [whole(context, clock) for _ in range(2)]
    lose(context, monkeypatch)
    for reconciler in both:
        run(reconciler, context)
    assert sum(reconciler.total for reconciler in both) == len(ids)


def test_a_walk_rests_while_nothing_is_known_to_be_lost(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVENTS_PER_STEP", 3)
    make(context)
    reconciler = whole(context, clock)
    clock.advance(timedelta(seconds=INTERVAL_SECONDS))
    missing = context.repository.queues.missing

    def slowly(ids: list[str]) -> set[str]:
        clock.advance(timedelta(seconds=1))
        return missing(ids)

    monkeypatch.setattr(context.repository.queues, "missing", slowly)
    now = context.now()
    assert reconciler.step(now) == now + timedelta(seconds=1 + module.REST)
    assert reconciler._after_id
    stands_at = reconciler._after_id
    reconciler.step(context.now())
    assert reconciler._after_id == stands_at
    lose(context, monkeypatch)
    now = context.now()
    assert reconciler.step(now) == now + timedelta(seconds=1)


def test_many_events_are_walked_through_in_steps(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVENTS_PER_STEP", 3)
    ids = make(context)
    context.repository.queues.withdraw(ids)
    reconciler = Reconciler(context)
    steps = 1
    while reconciler.step(context.now()):
        steps += 1
    assert steps == len(ids) // 3 + 1
    assert context.repository.queues.missing(ids) == set()
