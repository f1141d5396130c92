"""Events that a worker has a moment ahead of their time: called then, never when they were taken out."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rrcli.core.models import Event, EventState
from rrcli.operations import changes, events, schedules
from rrcli.operations.context import Context
from rrcli.operations.handover import AHEAD
from rrcli_daemons.worker import Worker
from tests.support.clock import FakeClock
from tests.support.receiver import Answer, Receiver
from tests.support.working import dispatch, work_until, working

MINUTE = timedelta(minutes=1)
HALF = AHEAD / 2


def make(context: Context, target: Receiver, **fields: Any) -> str:
    """A schedule whose first occurrence is a minute from now."""
    rule = f"DTSTART:{context.now() + MINUTE:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=MINUTELY;COUNT=1"
    data = {"name": "s", "rrule": rule, "callback_url": target.url("/hook")}
    return schedules.create(context, data | fields).id


def hand_over(context: Context, clock: FakeClock) -> None:
    """Half of AHEAD before the minute is over, the dispatcher comes."""
    clock.advance(MINUTE - HALF)
    dispatch(context)


def ended(context: Context, schedule_id: str) -> list[Event]:
    return list(events.history(context, schedule_id, limit=9).items)


def held(worker: Worker) -> float:
    return worker.counters()["in_flight"]


@pytest.mark.parametrize("overlap", ["allow", "skip", "queue"])
def test_a_call_is_made_at_its_time(
    context: Context, clock: FakeClock, target: Receiver, overlap: str
) -> None:
    schedule_id = make(context, target, overlap=overlap)
    due = context.now() + MINUTE
    hand_over(context, clock)
    with working(context) as worker:
        worker.run_once(context.now())
        assert held(worker) == 1
        worker.run_once(context.now())
        assert not target.requests
        clock.advance(HALF)
        work_until(worker, context, lambda: bool(ended(context, schedule_id)))
    (event,) = ended(context, schedule_id)
    assert (event.state, event.attempts[0].time, event.lateness_ms) == (EventState.COMPLETED, due, 0)
    assert target.requests[0].headers["webhook-timestamp"] == f"{due.timestamp():.0f}"


def test_a_worker_with_a_call_ahead_says_when_its_time_has_come(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    make(context, target, overlap="skip")
    hand_over(context, clock)
    with working(context) as worker:
        assert worker.run_once(context.now()) == context.now() + HALF


def test_what_ends_before_the_next_is_due_is_no_overlap(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    """The next one is claimed while it is still under way."""
    opened = threading.Event()
    target.answer("/hook", lambda _: Answer() if opened.wait(10) else Answer(status=500))
    schedule_id = make(context, target, overlap="skip")
    first = events.trigger(context, schedule_id)
    dispatch(context)
    with working(context) as worker:
        work_until(worker, context, lambda: bool(target.requests))
        hand_over(context, clock)
        work_until(worker, context, lambda: held(worker) == 2)
        opened.set()
        work_until(worker, context, lambda: bool(ended(context, schedule_id)))
        assert [event.id for event in ended(context, schedule_id)] == [first.id]
        clock.advance(HALF)
        work_until(worker, context, lambda: len(ended(context, schedule_id)) == 2)
    assert {event.state for event in ended(context, schedule_id)} == {EventState.COMPLETED}


TAKEN_OUT: dict[str, Callable[[Context, str], object]] = {
    "pause": changes.pause,
    "update": lambda context, id_: changes.update(context, id_, {"rrule": "FREQ=DAILY;BYHOUR=1"}),
    "new address": lambda context, id_: changes.update(context, id_, {"callback_url": "http://127.0.0.1:9/"}),
    "delete": schedules.delete,
}


@pytest.mark.parametrize("operation", TAKEN_OUT.values(), ids=TAKEN_OUT.keys())
def test_what_is_taken_out_in_the_last_moment_has_begun_when_that_is_done_or_never_begins(
    context: Context, clock: FakeClock, target: Receiver, operation: Callable[[Context, str], object]
) -> None:
    schedule_id = make(context, target)
    due = context.now() + MINUTE
    hand_over(context, clock)
    with working(context) as worker:
        worker.run_once(context.now())
        operation(context, schedule_id)
        assert context.now() == due
        work_until(worker, context, lambda: not context.repository.queues.depths().in_flight)
    assert len(target.requests) == 1


def test_what_no_worker_has_yet_is_taken_out_at_once(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    schedule_id = make(context, target)
    hand_over(context, clock)
    now = context.now()
    changes.pause(context, schedule_id)
    assert context.now() == now
    assert [event.state for event in ended(context, schedule_id)] == [EventState.SUPERSEDED]


@pytest.mark.parametrize("overlap", ["allow", "skip"])
def test_a_worker_that_stops_gives_back_what_has_not_begun(
    context: Context, clock: FakeClock, target: Receiver, overlap: str
) -> None:
    schedule_id = make(context, target, overlap=overlap)
    hand_over(context, clock)
    with working(context, "w1") as stopping:
        stopping.run_once(context.now())
        assert context.repository.queues.depths().in_flight == 1
        assert stopping.finish() is None
        assert context.repository.queues.depths().in_flight == 0
    clock.advance(HALF)
    assert not target.requests
    dispatch(context)
    with working(context, "w2") as other:
        work_until(other, context, lambda: bool(ended(context, schedule_id)))
    assert len(target.requests) == 1
