"""Replays and backfills in the hands of a real worker."""

from datetime import timedelta

import pytest

from rrcli.core.models import EventState
from rrcli.operations import audit, events, replay, schedules
from rrcli.operations.context import Context
from rrcli.operations.replay import Only
from tests.support.clock import FakeClock
from tests.support.receiver import Answer, Receiver
from tests.support.working import dispatch, work_until, working

DAY = timedelta(days=1)


def make(context: Context, target: Receiver, overlap: str = "allow") -> str:
    data = {
        "name": "s",
        "rrule": "DTSTART:20260301T120000Z\nRRULE:FREQ=HOURLY;COUNT=4",
        "callback_url": target.url("/hook"),
        "overlap": overlap,
    }
    return schedules.create(context, data).id


@pytest.mark.parametrize("overlap", ["allow", "skip", "queue"])
def test_old_occurrences_are_called_late_in_order_and_none_is_skipped(
    context: Context, clock: FakeClock, target: Receiver, overlap: str
) -> None:
    schedule = schedules.get(context, make(context, target, overlap))
    tally, planned = replay.plan(context, schedule, context.now() - DAY, context.now())
    assert sum(replay.enter(context, schedule, planned)) == tally.planned == 4
    dispatch(context)
    with working(context) as worker:
        for _ in range(10):
            dispatch(context)
            work_until(worker, context, lambda: context.repository.queues.depths().in_flight == 0)
            clock.advance(timedelta(seconds=1))
    found = events.history(context, schedule.id, limit=10).items
    assert [event.state for event in found] == [EventState.COMPLETED] * 4
    times = [call.headers["x-rrule-run-time"] for call in target.requests]
    assert sorted(times) == [f"2026-03-01T{hour}:00:00Z" for hour in (12, 13, 14, 15)]
    assert overlap == "allow" or times == sorted(times)
    assert len({call.headers["webhook-id"] for call in target.requests}) == 4
    made = audit.report(context, schedule.id, context.now() - 2 * DAY, context.now())
    assert made.outcomes == {"completed": 4}


def test_a_failure_that_is_replayed_counts_as_completed(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    target.answer("/hook", Answer(status=400))
    data = {"name": "s", "rrule": "FREQ=DAILY;COUNT=1", "callback_url": target.url("/hook")}
    schedule = schedules.create(context, data)
    dispatch(context)
    with working(context) as worker:
        work_until(worker, context, lambda: events.history(context, schedule.id, limit=1).total == 1)
        target.answer("/hook", Answer(status=200))
        clock.advance(2 * DAY)
        _, planned = replay.plan(context, schedule, context.now() - 3 * DAY, context.now(), only=Only.FAILED)
        assert sum(replay.enter(context, schedule, planned)) == 1
        dispatch(context)
        work_until(worker, context, lambda: events.history(context, schedule.id, limit=1).total == 2)
    assert len({call.headers["webhook-id"] for call in target.requests}) == 1
    made = audit.report(context, schedule.id, context.now() - 3 * DAY, context.now())
    assert made.outcomes == {"completed": 1}
