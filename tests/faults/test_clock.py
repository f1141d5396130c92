"""The wall clock is set forth and back by an hour under real components: nothing is lost or repeated."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest

from rrcli.core.models import EventState
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli_daemons.prequeuer import Prequeuer
from rrcli_daemons.worker import Worker
from tests.faults.oracle import judge
from tests.faults.record import Record
from tests.faults.running import backend_of
from tests.support.clock import FakeClock
from tests.support.receiver import Receiver
from tests.support.working import dispatch, work_until, working

STEP = timedelta(seconds=20)
STEPS_BETWEEN = 6
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "jumps", [(1,), (-1,), (1, -1), (-1, 1), (1, 1, -1, -1, 1)], ids=lambda jumps: f"{jumps}"
)
def test_setting_the_clock_by_an_hour_neither_loses_nor_repeats(
    jumps: Sequence[int], context: Context, clock: FakeClock, target: Receiver
) -> None:
    fields = {"name": "s", "rrule": "FREQ=MINUTELY", "misfire": {"policy": "all"}}
    made = schedules.create(context, {**fields, "callback_url": target.url("/")})
    latest = context.now()
    prequeuer = Prequeuer(context)
    with working(context) as worker:
        for hours in (0, *jumps):
            clock.jump(hours * HOUR)
            for _ in range(STEPS_BETWEEN):
                run(prequeuer, worker, context)
                latest = max(latest, context.now())
                clock.advance(STEP)
    verdict = judge(context.repository, [made], target.requests, until=latest)
    verdict.require()
    assert verdict.expected == (latest - made.created_at) // timedelta(minutes=1) + 1
    called = Counter(call.headers["webhook-id"] for call in target.requests)
    assert set(called.values()) == {1}
    assert len(called) == verdict.expected
    if len(jumps) == 5:
        Record(
            fault="Clock set forth and back by an hour",
            backend=backend_of(context.settings),
            events=verdict.expected,
            doubles=verdict.doubles,
            losses=verdict.losses,
            recovery_seconds=None,
            test="tests/faults/test_clock.py::test_setting_the_clock_by_an_hour_neither_loses_nor_repeats",
        ).write()


def run(prequeuer: Prequeuer, worker: Worker, context: Context) -> None:
    """Everything that is due now."""
    while (more := prequeuer.run_once(context.now())) is not None and more <= context.now():
        pass
    dispatch(context)
    work_until(worker, context, lambda: not waiting(context))


def waiting(context: Context) -> bool:
    depths = context.repository.queues.depths()
    return depths.worker + depths.in_flight > 0


def test_an_event_waits_for_its_time_again_after_the_clock_was_set_back(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    made = schedules.create(
        context, {"name": "s", "rrule": "FREQ=MINUTELY;COUNT=2", "callback_url": target.url("/")}
    )
    clock.jump(-HOUR)
    prequeuer = Prequeuer(context)
    with working(context) as worker:
        run(prequeuer, worker, context)
        assert target.requests == []
        clock.advance(HOUR)
        run(prequeuer, worker, context)
        clock.advance(timedelta(minutes=1))
        run(prequeuer, worker, context)
    states = [event.state for event in context.repository.events.history(made.id, limit=9).items]
    assert states == [EventState.COMPLETED] * 2
