"""Queueing a window: what is late follows the misfire policy; long runs become one entry."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rrcli.core.models import EventState, Schedule
from rrcli.operations import changes, window
from rrcli.operations.context import Context
from rrcli.operations.window import queue_window
from tests.operations.standing import (
    archived,
    assert_in_agreement,
    firing,
    live,
    make,
    minutes,
    prequeue,
    run_times,
    stored,
)
from tests.support.clock import FakeClock


def after_downtime(context: Context, clock: FakeClock, hours: float = 3, **fields: Any) -> Schedule:
    """A schedule whose first window was called, then no daemon ran for hours."""
    schedule = make(context, **fields)
    done = [event.moved(EventState.COMPLETED, context.now(), "200") for event in live(context, schedule)]
    context.repository.queues.withdraw([event.id for event in done])
    context.repository.events.archive(done, context.now())
    clock.advance(timedelta(hours=hours))
    prequeue(context)
    return schedule


def span(event: Any) -> tuple[Any, Any, int]:
    return (event.span.first, event.span.last, event.span.count)


def test_latest_fires_the_newest_missed_occurrence_and_records_the_rest_as_one_entry(
    context: Context, clock: FakeClock
):
    schedule = after_downtime(context, clock, misfire={"policy": "latest", "grace_seconds": 0})
    assert firing(context, schedule) == minutes(*range(180, 190))
    (skipped,) = archived(context, schedule, EventState.SKIPPED)
    assert span(skipped) == (*minutes(10, 179), 170)
    assert skipped.status[-1].message.startswith("170 occurrences came up more than 0 s late")
    assert_in_agreement(context, schedule)


def test_latest_stands_for_what_was_missed_between_two_occurrences(context: Context, clock: FakeClock):
    schedule = after_downtime(context, clock, rrule="FREQ=HOURLY", hours=3.5)
    assert firing(context, schedule) == minutes(180)
    (skipped,) = archived(context, schedule, EventState.SKIPPED)
    assert span(skipped) == (*minutes(60, 120), 2)


def test_all_fires_every_missed_occurrence_oldest_first(context: Context, clock: FakeClock):
    schedule = after_downtime(context, clock, misfire={"policy": "all"})
    assert firing(context, schedule) == minutes(*range(10, 190))
    assert not archived(context, schedule, EventState.SKIPPED)
    assert context.repository.queues.head() == minutes(10)[0]


def test_all_never_fires_beyond_the_window(context: Context, clock: FakeClock):
    schedule = after_downtime(context, clock, misfire={"policy": "all", "window_seconds": 3600})
    assert firing(context, schedule) == minutes(*range(120, 190))
    (skipped,) = archived(context, schedule, EventState.SKIPPED)
    assert span(skipped) == (*minutes(10, 119), 110)


def test_skip_fires_nothing_late(context: Context, clock: FakeClock):
    schedule = after_downtime(context, clock, rrule="FREQ=HOURLY", hours=3.5, misfire={"policy": "skip"})
    assert not firing(context, schedule)
    (skipped,) = archived(context, schedule, EventState.SKIPPED)
    assert span(skipped) == (*minutes(60, 180), 3)


def test_within_the_grace_nothing_is_late(context: Context, clock: FakeClock):
    schedule = after_downtime(context, clock, misfire={"policy": "skip", "grace_seconds": 86_400})
    assert firing(context, schedule) == minutes(*range(10, 190))


def test_one_missed_occurrence_is_an_entry_without_a_span(context: Context, clock: FakeClock):
    schedule = after_downtime(context, clock, rrule="FREQ=HOURLY", hours=1.5, misfire={"policy": "skip"})
    (skipped,) = archived(context, schedule, EventState.SKIPPED)
    assert (skipped.run_time, skipped.span) == (minutes(60)[0], None)
    assert skipped.status[-1].message.startswith("Occurrence came up more than 60 s late")


def test_every_instant_of_a_downtime_is_accounted_for_once(context: Context, clock: FakeClock):
    schedule = after_downtime(context, clock)
    entries = [*archived(context, schedule), *live(context, schedule)]
    counted = sum(event.span.count if event.span else 1 for event in entries)
    assert counted == 190
    assert len(set(run_times(entries))) == len(entries)


def test_a_dense_rule_takes_several_passes_and_loses_nothing(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(window, "OCCURRENCES_PER_PASS", 25)
    schedule = after_downtime(context, clock, misfire={"policy": "all", "window_seconds": 3600})
    assert firing(context, schedule) == minutes(*range(120, 190))
    skipped = archived(context, schedule, EventState.SKIPPED)
    assert sum(event.span.count if event.span else 1 for event in skipped) == 110
    assert stored(context, schedule).next_run == minutes(190)[0]


def test_dense_schedules_advance_side_by_side(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    made = [make(context, name=f"number {number}") for number in range(3)]
    clock.advance(timedelta(minutes=5))
    monkeypatch.setattr(window, "EVENTS_PER_PASS", 6)
    monkeypatch.setattr(window, "LEAST_SHARE", 2)
    due = context.repository.schedules.due(context.now() + context.window, 100)
    filled = queue_window(context, due, context.now())
    assert [len(firing(context, schedule)) for schedule in made] == [12, 12, 12]
    assert (filled.schedules, filled.unfinished) == (3, 3)


def test_a_pass_that_has_enough_leaves_the_other_schedules_for_the_next(context: Context, clock: FakeClock):
    made = [make(context, name=f"number {number}") for number in range(3)]
    clock.advance(timedelta(minutes=5))
    due = context.repository.schedules.due(context.now() + context.window, 100)
    filled = queue_window(context, due, context.now(), most_events=1)
    assert (filled.queued, filled.schedules, filled.unfinished) == (5, 1, 2)
    assert sorted(len(firing(context, schedule)) for schedule in made) == [10, 10, 15]


def test_latest_fires_one_even_when_the_downtime_takes_several_passes(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(window, "OCCURRENCES_PER_PASS", 25)
    schedule = after_downtime(context, clock, misfire={"grace_seconds": 0})
    assert firing(context, schedule) == minutes(*range(180, 190))


def test_a_pass_says_what_it_did(context: Context, clock: FakeClock):
    schedule = make(context)
    clock.advance(timedelta(hours=1))
    filled = queue_window(context, [stored(context, schedule)], context.now())
    # The one minute of grace lets 59 and 60 count as on time.
    assert (filled.queued, filled.skipped, filled.unfinished) == (11, 49, 0)


def test_a_schedule_without_a_watermark_is_left_alone(context: Context):
    schedule = make(context, "DTSTART:20250101T000000Z\nRRULE:FREQ=DAILY;COUNT=3")
    assert queue_window(context, [schedule], context.now()) == window.Filled()


def test_a_finite_rule_ends_with_no_watermark_and_then_completes(context: Context):
    schedule = make(context, "FREQ=MINUTELY;COUNT=3")
    assert firing(context, schedule) == minutes(0, 1, 2)
    assert stored(context, schedule).next_run is None
    prequeue(context)
    assert stored(context, schedule).state == "active"
    ended = [event.moved(EventState.COMPLETED, context.now(), "200") for event in live(context, schedule)]
    context.repository.events.archive(ended, context.now())
    prequeue(context)
    assert stored(context, schedule).state == "completed"


def test_occurrences_that_were_called_are_not_called_again(context: Context, clock: FakeClock):
    schedule = after_downtime(context, clock, hours=0)
    queue_window(context, [replace(schedule, next_run=minutes(0)[0])], context.now())
    assert not live(context, schedule)
    assert {event.state for event in archived(context, schedule)} == {EventState.COMPLETED}


def test_a_stale_plan_does_not_move_the_watermark_of_a_new_rule(context: Context):
    before = make(context)
    changes.update(context, before.id, {"rrule": "FREQ=HOURLY;BYMINUTE=30"})
    queue_window(context, [before], context.now())
    assert stored(context, before).next_run == minutes(30)[0]
    assert not firing(context, before)


def test_many_schedules_are_queued_in_one_pass(context: Context, clock: FakeClock):
    made = [make(context, name=f"number {number}", misfire={"policy": "all"}) for number in range(20)]
    clock.advance(timedelta(minutes=10))
    due = context.repository.schedules.due(context.now() + context.window, 100)
    assert queue_window(context, due, context.now()).queued == 200
    for schedule in made:
        assert firing(context, schedule) == minutes(*range(20))
