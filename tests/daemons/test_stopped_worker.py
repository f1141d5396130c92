"""A worker that stood still for longer than its lease (stopped, or its machine was) wakes and writes."""

from contextlib import closing
from datetime import timedelta

import pytest
from msgspec.structs import replace

from rrcli.core.models import Attempt, Event, EventState
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli_daemons.results import Results
from tests.support.clock import FakeClock
from tests.support.receiver import Answer, Receiver
from tests.support.working import dispatch, work_until, working

LEASE = timedelta(minutes=1)


def one_event(context: Context, target: Receiver) -> Event:
    """An event that waits in the worker queue; a retry of it is due after at most a second."""
    fields = {"name": "s", "rrule": "FREQ=MINUTELY;COUNT=1", "callback_url": target.url("/hook")}
    made = schedules.create(context, fields | {"retry": {"base_seconds": 1, "factor": 1}})
    dispatch(context)
    return context.repository.events.unfinished(made.id)[0]


def failed(context: Context, event: Event) -> Event:
    """What a worker writes after one attempt that failed."""
    attempt = Attempt(time=context.now(), duration_ms=1.0, status_code=500)
    tried = replace(event, attempts=(*event.attempts, attempt))
    return tried.moved(EventState.RETRY, context.now(), "of before", due=context.now() + LEASE)


@pytest.mark.parametrize("answers", [(500, 500), (500, 200)], ids=["tried on", "ended"])
def test_what_another_worker_wrote_meanwhile_stays(
    context: Context, clock: FakeClock, target: Receiver, answers: tuple[int, ...]
) -> None:
    event = one_event(context, target)
    repository = context.repository
    coming = iter(answers)
    target.answer("/hook", lambda _: Answer(status=next(coming)))
    assert repository.queues.claim("w1", 1, LEASE) == [event.id]
    with closing(Results(context, "w1")) as stopped, working(context, "w2") as other:
        stopped.again(failed(context, repository.events.get([event.id])[event.id]))
        repository.queues.release("w1")  # as who finds its lease run out does
        for number in range(1, len(answers) + 1):
            work_until(other, context, lambda number=number: _attempts(context, event) == number)
            clock.advance(timedelta(seconds=1))
            if number < len(answers):
                dispatch(context)
        stored, queued = repository.events.find(event.id), repository.queues.due(context.now(), 9)

        stopped.write_all(context.now())

        assert repository.events.find(event.id) == stored
        assert repository.queues.due(context.now(), 9) == queued
        assert not stopped.unwritten


def _attempts(context: Context, event: Event) -> int:
    found = context.repository.events.find(event.id)
    return len(found.attempts) if found else 0
