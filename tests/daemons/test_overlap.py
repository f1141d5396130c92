"""Overlap, jitter, holidays and auto-pause at the worker: real stores, real HTTP, the test's clock."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from rrcli.core.models import Event, EventState, Kind, ScheduleState
from rrcli.core.policies import jitter
from rrcli.operations import calendars, events, schedules
from rrcli.operations.context import Context
from rrcli_daemons.overlap import WAITS, came_up, is_overlapped, start_next
from tests.operations.test_calendars import FAR, freeze
from tests.support.clock import FakeClock
from tests.support.receiver import Answer, Receiver
from tests.support.working import dispatch, work_until, working


def make(context: Context, target: Receiver, **fields: Any) -> str:
    data = {"name": "s", "rrule": "FREQ=MINUTELY;COUNT=3", "callback_url": target.url("/hook")}
    return schedules.create(context, data | fields).id


def ended(context: Context, schedule_id: str) -> list[Event]:
    return list(reversed(events.history(context, schedule_id, limit=100).items))


def pending(context: Context, schedule_id: str) -> list[Event]:
    return list(events.pending(context, schedule_id, limit=100).items)


def test_a_manual_run_at_the_same_instant_is_not_called_beside_the_occurrence(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    schedule_id = make(context, target, overlap="queue")
    manual = events.trigger(context, schedule_id)
    one, two = (event for event in pending(context, schedule_id) if event.run_time == manual.run_time)
    verdicts = {is_overlapped(context.repository, event, context.now()) for event in (one, two)}
    assert {one.kind, two.kind} == {Kind.MANUAL, Kind.SCHEDULED}
    assert verdicts == {True, False}


def test_with_jitter_beyond_the_interval_the_order_is_that_of_the_calls(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    schedule_id = make(context, target, rrule="FREQ=MINUTELY;COUNT=9", overlap="skip", jitter_seconds=3600)
    by_run_time = pending(context, schedule_id)
    by_due = sorted(by_run_time, key=lambda event: event.due)
    assert by_due != by_run_time
    now = by_due[1].due
    assert not is_overlapped(context.repository, by_due[0], now)
    assert all(is_overlapped(context.repository, event, now) for event in by_due[1:])


def test_what_is_not_due_yet_stops_nobody(context: Context, clock: FakeClock, target: Receiver) -> None:
    schedule_id = make(context, target, overlap="skip", jitter_seconds=3600)
    first = min(pending(context, schedule_id), key=lambda event: event.due)
    clock.advance(first.due - context.now())
    dispatch(context)
    with working(context) as worker:
        work_until(worker, context, lambda: bool(ended(context, schedule_id)))
    assert [event.state for event in ended(context, schedule_id)] == [EventState.COMPLETED]


def test_waiting_for_an_earlier_one_is_no_misfire(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    target.answer("/hook", Answer(status=503, headers={"Retry-After": "600"}))
    schedule_id = make(context, target, overlap="queue", misfire={"policy": "skip"}, max_retries=1)
    with working(context) as worker:
        for _ in range(3):
            dispatch(context)
            work_until(worker, context, lambda: context.repository.queues.depths().worker == 0)
            work_until(worker, context, lambda: context.repository.queues.depths().in_flight == 0)
            clock.advance(timedelta(minutes=1))
        waiting = pending(context, schedule_id)
        assert [event.state for event in waiting] == [EventState.RETRY, EventState.WORKER, EventState.WORKER]
        assert [event.status[-1].message for event in waiting[1:]] == [WAITS, WAITS]
        target.answer("/hook", Answer())
        clock.advance(timedelta(minutes=10))
        dispatch(context)
        work_until(worker, context, lambda: len(ended(context, schedule_id)) == 3)
    assert {event.state for event in ended(context, schedule_id)} == {EventState.COMPLETED}


def test_only_the_first_of_those_waiting_is_started(context: Context, target: Receiver) -> None:
    schedule_id = make(context, target, overlap="queue")
    repository, now = context.repository, context.now() + timedelta(minutes=5)
    waiting = pending(context, schedule_id)
    repository.events.dispatched([event.id for event in waiting], now, due_by=now)
    start_next(repository, schedule_id, now)
    assert repository.queues.depths().worker == 1
    assert repository.queues.claim("w", 9, timedelta(seconds=9)) == [waiting[0].id]
    assert came_up(waiting[0], now) == now


def test_an_occurrence_on_a_new_holiday_is_not_called_although_it_was_queued(
    context: Context, target: Receiver
) -> None:
    """As a worker sees it before the import has put the queues right."""
    calendars.put(context, "ops", FAR)
    schedule_id = make(context, target, exclude_calendars=["ops"])
    dispatch(context)
    other = replace(context.repository.calendars.get(["ops"])["ops"], version="new")
    elsewhere = replace(context, calendars=type(context.calendars)())
    context.exclusions([schedules.get(context, schedule_id)])
    calendars.put(elsewhere, "tmp", freeze(0, 2))
    closed = context.repository.calendars.get(["tmp"])["tmp"].closures
    context.repository.calendars.put(replace(other, closures=closed))
    with working(context) as worker:
        work_until(worker, context, lambda: bool(ended(context, schedule_id)))
    (entry,) = ended(context, schedule_id)
    assert (entry.state, entry.status[-1].message) == (
        EventState.SKIPPED,
        "Holiday: Freeze, calendar ops",
    )
    assert target.requests == []


def test_failures_in_a_row_pause_the_schedule(context: Context, clock: FakeClock, target: Receiver) -> None:
    target.answer("/hook", Answer(status=400))
    schedule_id = make(context, target, rrule="FREQ=MINUTELY", auto_pause_after=2)
    with working(context) as worker:
        for number in (1, 2):
            dispatch(context)
            work_until(worker, context, lambda number=number: len(target.requests) == number)
            work_until(worker, context, lambda: context.repository.queues.depths().in_flight == 0)
            clock.advance(timedelta(minutes=1))
    paused = schedules.get(context, schedule_id)
    assert (paused.state, paused.state_reason) == (
        ScheduleState.PAUSED,
        "2 failures in a row, last: HTTP 400",
    )
    assert pending(context, schedule_id) == []


def test_jitter_does_not_make_an_occurrence_late(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    schedule_id = make(context, target, jitter_seconds=3600, misfire={"policy": "skip", "grace_seconds": 1})
    for event in pending(context, schedule_id):
        assert event.due == event.run_time + jitter(schedule_id, event.run_time, 3600)
    clock.advance(max(event.due for event in pending(context, schedule_id)) - context.now())
    last = max(pending(context, schedule_id), key=lambda event: event.due)
    dispatch(context)
    with working(context) as worker:
        work_until(worker, context, lambda: len(ended(context, schedule_id)) == 3)
    assert [event.id for event in ended(context, schedule_id) if event.state == "completed"] == [last.id]
