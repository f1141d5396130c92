"""Single occurrences skipped, put back, moved: one ledger entry each, and never a call that was taken out."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rrcli.core.models import EventState, Schedule, ScheduleState
from rrcli.errors import Conflict, InvalidInput
from rrcli.operations import audit, changes, schedules, skips
from rrcli.operations.context import Context
from rrcli.operations.views import next_occurrence, schedule_view
from tests.operations.standing import (
    NOON,
    archived,
    firing,
    live,
    make,
    minutes,
    on_one_store,
    prequeue,
    queued,
    run_times,
    stored,
)
from tests.support.clock import FakeClock

SKIPPED = EventState.SKIPPED


def message(context: Context, schedule: Schedule) -> str:
    (event,) = archived(context, schedule, SKIPPED)
    return event.status[-1].message


def test_the_next_occurrence_is_skipped_with_the_reason_in_the_ledger(context: Context) -> None:
    schedule = make(context)
    skips.skip(context, schedule.id, reason="the receiver moves house")
    assert firing(context, schedule) == [NOON, *minutes(*range(2, 10))]
    assert run_times(archived(context, schedule, SKIPPED)) == minutes(1)
    assert message(context, schedule) == "Skipped by hand: the receiver moves house"
    assert {event.id for event in live(context, schedule)} <= queued(context)


def test_a_skip_is_shown_and_next_run_honours_it(context: Context, clock: FakeClock) -> None:
    schedule = skips.skip(context, make(context, "FREQ=HOURLY").id, count=2, reason="r")
    clock.advance(timedelta(seconds=1))
    view = schedule_view(schedule, context.now())
    assert view["skips"] == [
        {"run_time": "2026-03-02T13:00:00Z", "reason": "r", "moved_to": None},
        {"run_time": "2026-03-02T14:00:00Z", "reason": "r", "moved_to": None},
    ]
    assert view["next_run"] == "2026-03-02T15:00:00Z"


def test_one_beyond_the_window_is_recorded_when_its_turn_comes(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    skips.skip(context, schedule.id, at=minutes(15)[0])
    assert not archived(context, schedule, SKIPPED)
    clock.advance(timedelta(minutes=8))
    prequeue(context)
    assert run_times(archived(context, schedule, SKIPPED)) == minutes(15)
    assert minutes(15)[0] not in firing(context, schedule)


def test_unskip_brings_a_withdrawn_occurrence_back(context: Context) -> None:
    schedule = make(context)
    skips.skip(context, schedule.id, count=3)
    skips.unskip(context, schedule.id)
    assert firing(context, schedule) == [NOON, *minutes(1, *range(4, 10))]
    skips.unskip(context, schedule.id, everything=True)
    assert firing(context, schedule) == [NOON, *minutes(*range(1, 10))]
    assert archived(context, schedule) == []
    assert stored(context, schedule).skips == ()


def test_unskip_after_the_time_is_refused(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    skips.skip(context, schedule.id)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(Conflict):
        skips.unskip(context, schedule.id)
    with pytest.raises(Conflict):
        skips.unskip(context, schedule.id, at=minutes(1)[0])


def test_the_last_occurrence_skipped_and_put_back_makes_the_schedule_active_again(context: Context) -> None:
    schedule = make(context, f"DTSTART:{minutes(5)[0]:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=DAILY;COUNT=1")
    skips.skip(context, schedule.id)
    prequeue(context)
    assert stored(context, schedule).state is ScheduleState.COMPLETED
    skips.unskip(context, schedule.id)
    assert stored(context, schedule).state is ScheduleState.ACTIVE
    assert firing(context, schedule) == minutes(5)


def test_a_move_is_a_skip_and_one_more_instant(context: Context) -> None:
    schedule = make(context)
    skips.move(context, schedule.id, at=minutes(2)[0], to=minutes(2.5)[0], reason="lunch")
    assert firing(context, schedule) == [NOON, *minutes(1, 2.5, *range(3, 10))]
    assert message(context, schedule) == "Moved by hand to 2026-03-02T12:02:30Z: lunch"
    skips.unskip(context, schedule.id, at=minutes(2)[0])
    assert firing(context, schedule) == [NOON, *minutes(*range(1, 10))]


def test_what_was_moved_can_be_moved_on(context: Context) -> None:
    schedule = make(context)
    skips.move(context, schedule.id, at=minutes(2)[0], to=minutes(2.5)[0])
    moved = skips.move(context, schedule.id, at=minutes(2.5)[0], to=minutes(4.5)[0])
    assert firing(context, schedule) == [NOON, *minutes(1, 3, 4, 4.5, *range(5, 10))]
    assert [(skip.run_time, skip.moved_to) for skip in moved.skips] == [(minutes(2)[0], minutes(4.5)[0])]


def test_the_rule_stays_as_its_owner_wrote_it(context: Context) -> None:
    schedule = make(context)
    changed = skips.move(context, schedule.id, at=minutes(2)[0], to=minutes(2.5)[0])
    assert changed.rrule == schedule.rrule
    assert changed.revision == schedule.revision + 1


@on_one_store
@pytest.mark.parametrize(
    ("at", "to"),
    [(1.5, 3.5), (0, 3.5), (1, 0.5 - 1), (1, 2), (1, 1)],
    ids=["no occurrence", "due now", "past", "taken", "the same"],
)
def test_what_cannot_be_moved_is_refused_and_nothing_changes(context: Context, at: float, to: float) -> None:
    schedule = stored(context, make(context))
    with pytest.raises(Conflict):
        skips.move(context, schedule.id, at=minutes(at)[0], to=minutes(to)[0])
    assert stored(context, schedule) == schedule


@on_one_store
def test_a_revision_that_is_not_the_stored_one_is_refused(context: Context) -> None:
    schedule = make(context)
    for change in (skips.skip, skips.unskip):
        with pytest.raises(Conflict, match="revision"):
            change(context, schedule.id, expected_revision=schedule.revision + 1)


@on_one_store
def test_fewer_left_than_asked_for_and_a_reason_too_long_are_refused(context: Context) -> None:
    schedule = make(context, "FREQ=MINUTELY;COUNT=3")
    with pytest.raises(Conflict, match="only 2 occurrences left"):
        skips.skip(context, schedule.id, count=3)
    with pytest.raises(InvalidInput, match="reason"):
        skips.skip(context, schedule.id, reason="x" * 501)


def test_a_change_of_the_rule_keeps_the_skips_that_still_mean_something(context: Context) -> None:
    schedule = make(context)
    skips.skip(context, schedule.id, count=2)
    changed = changes.update(context, schedule.id, {"rrule": "FREQ=MINUTELY;INTERVAL=2"})
    assert [skip.run_time for skip in changed.skips] == minutes(2)
    assert firing(context, schedule) == [NOON, *minutes(4, 6, 8)]


def test_unskip_while_paused_leaves_what_the_pause_would_have_left(context: Context) -> None:
    schedule = make(context)
    skips.skip(context, schedule.id)
    changes.pause(context, schedule.id)
    skips.unskip(context, schedule.id)
    (entry,) = [event for event in archived(context, schedule) if event.run_time == minutes(1)[0]]
    assert entry.state is EventState.SUPERSEDED
    changes.resume(context, schedule.id)
    assert firing(context, schedule) == [NOON, *minutes(*range(1, 10))]


def test_skipped_while_paused_it_stays_out_after_the_resume(context: Context) -> None:
    schedule = make(context)
    changes.pause(context, schedule.id)
    skips.skip(context, schedule.id)
    changes.resume(context, schedule.id)
    assert firing(context, schedule) == [NOON, *minutes(*range(2, 10))]
    assert message(context, schedule) == "Skipped by hand"


def test_what_was_missed_follows_the_misfire_policy_although_a_skip_came_in_between(
    context: Context, clock: FakeClock
) -> None:
    schedule = make(context, "FREQ=HOURLY")
    clock.advance(timedelta(hours=3, minutes=30))
    skips.skip(context, schedule.id)
    prequeue(context)
    fired = firing(context, schedule)
    assert fired == [NOON, NOON + timedelta(hours=3)]
    clock.advance(timedelta(minutes=25))
    prequeue(context)
    assert message_at(context, schedule, NOON + timedelta(hours=4)) == "Skipped by hand"


def test_latest_fires_the_newest_that_was_not_skipped(context: Context, clock: FakeClock) -> None:
    schedule = make(context, "FREQ=HOURLY")
    skips.skip(context, schedule.id, at=NOON + timedelta(hours=3))
    clock.advance(timedelta(hours=3, minutes=30))
    prequeue(context)
    assert firing(context, schedule) == [NOON, NOON + timedelta(hours=2)]
    assert message_at(context, schedule, NOON + timedelta(hours=3)) == "Skipped by hand"


def message_at(context: Context, schedule: Schedule, run_time: datetime) -> str:
    (event,) = [each for each in archived(context, schedule) if each.run_time == run_time]
    return event.status[-1].message


STEPS = st.lists(
    st.tuples(st.sampled_from(["skip", "unskip", "move", "tick", "pause", "resume"]), st.integers(0, 14)),
    max_size=12,
)


@on_one_store
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_asked_a_skipped_instant_never_fires_and_every_instant_has_one_entry(
    context: Context, clock: FakeClock, steps: list[tuple[str, int]]
) -> None:
    start = context.now()
    schedule = make(context, "FREQ=MINUTELY;COUNT=30")
    for what, number in steps:
        at = context.now().replace(second=0, microsecond=0) + timedelta(minutes=number)
        try:
            if what == "skip":
                skips.skip(context, schedule.id, at=at)
            elif what == "unskip":
                skips.unskip(context, schedule.id, at=at)
            elif what == "move":
                skips.move(context, schedule.id, at=at, to=at + timedelta(seconds=90))
            elif what == "tick":
                clock.advance(timedelta(minutes=1))
                prequeue(context)
            elif what == "pause":
                changes.pause(context, schedule.id)
            else:
                changes.resume(context, schedule.id)
        except Conflict:
            continue
        assert_sound(context, schedule)
    if stored(context, schedule).state is ScheduleState.PAUSED:
        changes.resume(context, schedule.id)
    skips.unskip(context, schedule.id, everything=True)
    assert_sound(context, schedule)
    assert not [skip for skip in stored(context, schedule).skips if skip.run_time > context.now()]
    schedules.delete(context, schedule.id)
    clock.advance(start - context.now())


def assert_sound(context: Context, schedule: Schedule) -> None:
    current = stored(context, schedule)
    out = {skip.run_time for skip in current.skips}
    fires = firing(context, schedule)
    assert not out & set(fires)
    entries = [*live(context, schedule), *archived(context, schedule)]
    assert len({event.id for event in entries}) == len(entries)
    if current.state is ScheduleState.ACTIVE:
        expected = next_occurrence(current, context.now() + timedelta(milliseconds=1))
        ahead = [run_time for run_time in fires if run_time > context.now()]
        assert (ahead[0] if ahead else expected) == expected
        recorded = {event.run_time for event in archived(context, schedule, SKIPPED)}
        horizon = context.now() + context.window
        assert {each for each in out if context.now() < each < horizon} <= recorded


def test_an_audit_finds_an_entry_for_each_instant_that_was_taken_out(
    context: Context, clock: FakeClock
) -> None:
    schedule = make(context, "FREQ=MINUTELY;COUNT=8")
    skips.skip(context, schedule.id, reason="r")
    skips.move(context, schedule.id, at=minutes(3)[0], to=minutes(3.5)[0])
    done = [event.moved(EventState.COMPLETED, context.now(), "200") for event in live(context, schedule)]
    context.repository.queues.withdraw([event.id for event in done])
    context.repository.events.archive(done, context.now())
    clock.advance(timedelta(minutes=30))
    report = audit.report(context, schedule.id, NOON, context.now())
    assert (report.instants, report.outcomes["skipped"], report.outcomes["completed"]) == (9, 2, 7)
    assert report.missing == []
    assert not report.extra
