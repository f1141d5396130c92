"""A worker learns that its claims may be elsewhere, whatever it did since they were lost."""

from datetime import timedelta

import pytest

from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.operations.leases import RENEW_SECONDS
from tests.support.clock import FakeClock
from tests.support.receiver import Receiver
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
