"""Replays of one event and of a range, on both stores."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from rrcli.core.ids import occurrence_id
from rrcli.core.models import Event, EventState, Kind, Schedule
from rrcli.core.request import build
from rrcli.errors import Conflict, InvalidInput, NotFound, StoreUnavailable
from rrcli.operations import audit, changes, events, replay, skips, stale
from rrcli.operations.context import Context
from rrcli.operations.replay import Only, Planned, Tally
from tests.operations.breaking import breaking
from tests.operations.standing import (
    NOON,
    after,
    archived,
    live,
    make,
    minutes,
    prequeue,
    queued,
    run_times,
    stored,
)
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def finish(context: Context, event: Event, state: EventState = EventState.COMPLETED) -> Event:
    """As a worker does."""
    now = context.now()
    ended = event.moved(state, now, f"It is {state}")
    context.repository.events.archive([ended], now)
    context.repository.queues.withdraw([event.id])
    return ended


def first_failed(context: Context) -> tuple[Schedule, Event]:
    schedule = make(context)
    return schedule, finish(context, live(context, schedule)[0], EventState.ERROR)


def run(
    context: Context,
    schedule: Schedule,
    only: Only = Only.ALL,
    *,
    force: bool = False,
    per_second: float | None = None,
    start: datetime = NOON - HOUR,
) -> Tally:
    current = stored(context, schedule)
    tally, planned = replay.plan(context, current, start, NOON + HOUR, only=only, force=force)
    assert sum(replay.enter(context, current, planned, per_second=per_second)) == tally.planned
    return tally


def asked_for(context: Context, schedule: Schedule) -> list[Event]:
    return [event for event in live(context, schedule) if event.kind in (Kind.REPLAY, Kind.BACKFILL)]


def test_an_event_is_called_again_at_once_with_the_same_webhook_id(
    context: Context, clock: FakeClock
) -> None:
    schedule, original = first_failed(context)
    clock.advance(HOUR)
    made = replay.replay(context, original.id)
    event = made.event
    assert made.is_new
    assert (event.kind, event.replay_of, event.run_time) == (Kind.REPLAY, original.id, original.run_time)
    assert (event.due, event.state) == (context.now(), EventState.READY)
    assert event.id in queued(context)
    assert context.repository.events.find(event.id) == event
    headers = build(schedule, event, now=context.now()).headers
    assert (headers["webhook-id"], headers["x-rrule-run-time"]) == (original.id, "2026-03-02T12:00:00Z")


def test_a_replay_of_a_replay_keeps_the_webhook_id_of_the_first(context: Context) -> None:
    _, original = first_failed(context)
    again = finish(context, replay.replay(context, original.id).event, EventState.ERROR)
    third = replay.replay(context, again.id).event
    assert (third.replay_of, third.message_id) == (again.id, original.id)
    assert third.id not in (again.id, original.id)


def test_a_new_webhook_id_is_given_where_it_is_asked_for(context: Context) -> None:
    _, original = first_failed(context)
    same = replay.replay(context, original.id).event
    new = replay.replay(context, original.id, new_id=True)
    assert new.is_new
    assert (new.event.message_id, new.event.replay_of) == (new.event.id, original.id)
    assert new.event.id != same.id
    assert not replay.replay(context, original.id, new_id=True).is_new


def test_the_same_replay_twice_enters_once_unless_forced(context: Context) -> None:
    schedule, original = first_failed(context)
    first = replay.replay(context, original.id)
    again = replay.replay(context, original.id)
    assert (again.is_new, again.event) == (False, first.event)
    finish(context, first.event)
    assert replay.replay(context, original.id).event.state is EventState.COMPLETED
    forced = replay.replay(context, original.id, force=True)
    assert forced.is_new
    assert [event.id for event in asked_for(context, schedule)] == [forced.event.id]


def test_only_a_single_event_that_has_ended_is_replayed(context: Context, clock: FakeClock) -> None:
    schedule = make(context, misfire={"policy": "skip"})
    with pytest.raises(Conflict, match="has not ended yet"):
        replay.replay(context, live(context, schedule)[0].id)
    clock.advance(40 * MINUTE)
    prequeue(context)
    (several,) = [event for event in archived(context, schedule) if event.span]
    with pytest.raises(Conflict, match="stands for") as refused:
        replay.replay(context, several.id)
    assert "schedule replay" in str(refused.value.hint)
    with pytest.raises(NotFound):
        replay.replay(context, "0" * 24)


def test_failed_ones_are_replayed_and_nothing_else(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    for state in (EventState.ERROR, EventState.COMPLETED, EventState.ERROR, EventState.CANCELLED):
        finish(context, live(context, schedule)[0], state)
    clock.advance(6 * MINUTE)
    tally = run(context, schedule, Only.FAILED)
    assert (tally.instants, tally.planned, tally.left, tally.under_way) == (6, 2, 2, 2)
    made = asked_for(context, schedule)
    assert run_times(made) == minutes(0, 2)
    assert {event.kind for event in made} == {Kind.REPLAY}
    assert [event.message_id for event in made] == [event.replay_of for event in made]
    assert {event.id for event in made} <= queued(context)


def test_missed_are_those_without_a_call_that_nobody_decided_against(
    context: Context, clock: FakeClock
) -> None:
    schedule = make(context)
    waiting = live(context, schedule)
    events.cancel(context, waiting[0].id)
    clock.advance(6 * MINUTE)
    finish(context, waiting[1], EventState.SKIPPED)
    finish(context, waiting[2], EventState.SUPERSEDED)
    context.repository.events.discard([waiting[3].id])
    finish(context, waiting[4])
    tally = run(context, schedule, Only.MISSED)
    made = asked_for(context, schedule)
    assert run_times(made) == minutes(1, 2, 3)
    assert {(event.kind, event.replay_of) for event in made} == {(Kind.BACKFILL, None)}
    assert [event.message_id for event in made] == [occurrence_id(schedule.id, at) for at in minutes(1, 2, 3)]
    assert (tally.planned, tally.under_way, tally.left) == (3, 1, 2)


def test_what_a_person_took_out_is_not_missed(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    clock.advance(timedelta(seconds=1))
    skips.skip(context, schedule.id, count=3)
    for event in live(context, schedule):
        finish(context, event)
    clock.advance(6 * MINUTE)
    assert audit.report(context, schedule.id, NOON, context.now()).outcomes == {"completed": 4, "skipped": 3}
    assert run(context, schedule, Only.MISSED).planned == 0
    assert run(context, schedule).planned == 7


def test_every_instant_of_a_skipped_run_is_backfilled(context: Context, clock: FakeClock) -> None:
    schedule = make(context, misfire={"policy": "skip"})
    clock.advance(40 * MINUTE)
    prequeue(context)
    tally = run(context, schedule, Only.MISSED, start=after(60 * 10))
    assert tally.planned == len(asked_for(context, schedule)) > 25
    for event in asked_for(context, schedule):
        finish(context, event)
    made = audit.report(context, schedule.id, after(60 * 10), after(60 * 35))
    assert made.outcomes == {"completed": 25}


def test_what_a_prequeuer_will_come_up_to_is_left_to_it(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    clock.advance(15 * MINUTE)
    assert run(context, schedule, Only.MISSED).planned == 0


def test_all_takes_what_the_rule_has_before_the_creation(context: Context, clock: FakeClock) -> None:
    schedule = make(context, "DTSTART:20260302T110000Z\nRRULE:FREQ=MINUTELY;INTERVAL=10")
    assert run(context, schedule, Only.MISSED).planned == 0
    assert run(context, schedule).planned == 6
    assert {event.kind for event in asked_for(context, schedule)} == {Kind.BACKFILL}


@pytest.mark.parametrize("only", list(Only))
@pytest.mark.parametrize("end", [None, EventState.COMPLETED, EventState.ERROR])
def test_the_same_range_twice_enters_once(
    context: Context, clock: FakeClock, only: Only, end: EventState | None
) -> None:
    schedule = make(context)
    waiting = live(context, schedule)
    states = (EventState.ERROR, EventState.COMPLETED, EventState.SKIPPED, EventState.CANCELLED)
    for event, state in zip(waiting, states, strict=False):
        finish(context, event, state)
    context.repository.events.discard([waiting[4].id])
    clock.advance(5 * MINUTE)
    first = run(context, schedule, only)
    made = asked_for(context, schedule)
    assert len(made) == first.planned > 0
    for event in made if end else []:
        finish(context, event, end or EventState.ERROR)
    second = run(context, schedule, only)
    assert second.planned == 0
    assert len(asked_for(context, schedule)) == (0 if end else first.planned)
    forced = run(context, schedule, only, force=True)
    assert forced.planned == (0 if end is None else forced.planned)


def test_a_backfill_that_failed_can_be_repeated_as_a_failure_once(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    finish(context, live(context, schedule)[0], EventState.SKIPPED)
    clock.advance(timedelta(seconds=1))
    run(context, schedule, Only.MISSED)
    (backfill,) = asked_for(context, schedule)
    finish(context, backfill, EventState.ERROR)
    assert run(context, schedule, Only.FAILED).planned == 1
    (again,) = asked_for(context, schedule)
    assert (again.kind, again.replay_of, again.message_id) == (
        Kind.REPLAY,
        backfill.id,
        occurrence_id(schedule.id, NOON),
    )
    finish(context, again, EventState.ERROR)
    assert run(context, schedule, Only.FAILED).already == 1


def test_a_rate_spreads_them(context: Context, clock: FakeClock) -> None:
    schedule = make(context, "DTSTART:20260302T110000Z\nRRULE:FREQ=MINUTELY;INTERVAL=15")
    run(context, schedule, per_second=0.5)
    assert [event.due for event in asked_for(context, schedule)] == [after(0), after(2), after(4), after(6)]


def test_what_is_planned_is_read_lazily_and_entered_in_batches(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = make(context, "DTSTART:19700101T000000Z\nRRULE:FREQ=SECONDLY")
    start = NOON - timedelta(days=365)
    tally, planned = replay.plan(context, stored(context, schedule), start, NOON)
    monkeypatch.setattr(replay, "EVENTS_PER_WRITE", 5)
    batches = replay.enter(context, schedule, planned)
    assert [next(batches), next(batches)] == [5, 5]
    assert tally.instants == 10


def test_bounds_end_it_and_say_where_to_go_on(context: Context) -> None:
    schedule = make(context, "DTSTART:20260302T110000Z\nRRULE:FREQ=MINUTELY")
    start, found = NOON - HOUR, list[Planned]()
    while start is not None:
        tally, planned = replay.plan(context, schedule, start, NOON, most=25)
        found += planned
        start = tally.next_from  # type: ignore[assignment]
    assert [each.run_time for each in found] == minutes(*range(-60, 0))
    tally, planned = replay.plan(context, schedule, NOON - HOUR, NOON, only=Only.FAILED, most_instants=7)
    assert list(planned) == []
    assert (tally.instants, tally.next_from) == (7, after(-53 * 60))


def test_an_empty_range_is_refused(context: Context) -> None:
    with pytest.raises(InvalidInput, match="earlier than to"):
        replay.plan(context, make(context), NOON, NOON)


@pytest.mark.parametrize("has_effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_replay_that_broke_off_is_repaired_by_doing_it_again(context: Context, has_effect: bool) -> None:
    for at in range(20):
        schedule = make(context, "DTSTART:20260302T110000Z\nRRULE:FREQ=MINUTELY;INTERVAL=15", name=f"n{at}")
        once, repository = breaking(context, at=at, has_effect=has_effect)
        with suppress(StoreUnavailable):
            _, planned = replay.plan(once, schedule, NOON - HOUR, NOON)
            list(replay.enter(once, schedule, planned))
        run(context, schedule)
        prequeue(context)
        made = asked_for(context, schedule)
        assert len(made) == 4
        assert {event.id for event in made} <= queued(context)
        if not repository.broke:
            break
    assert at < 19


@pytest.mark.parametrize("has_effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_replay_of_one_event_that_broke_off_is_repaired_by_doing_it_again(
    context: Context, has_effect: bool
) -> None:
    for at in range(20):
        schedule, original = first_failed(context)
        once, repository = breaking(context, at=at, has_effect=has_effect)
        with suppress(StoreUnavailable):
            replay.replay(once, original.id)
        made = replay.replay(context, original.id).event
        assert [event.id for event in asked_for(context, schedule)] == [made.id]
        assert made.id in queued(context)
        if not repository.broke:
            break
    assert 1 < at < 19


def test_a_paused_schedule_is_replayed_and_the_rule_is_not_asked_again(
    context: Context, clock: FakeClock
) -> None:
    schedule = make(context)
    clock.advance(2 * MINUTE)
    changes.pause(context, schedule.id)
    clock.advance(2 * MINUTE)
    assert run(context, schedule, Only.MISSED).planned == 4
    paused = stored(context, schedule)
    assert all(stale.may_fire(paused, event) for event in asked_for(context, schedule))


def test_the_views_have_what_is_known(context: Context) -> None:
    schedule = make(context, "DTSTART:20260302T115900Z\nRRULE:FREQ=MINUTELY")
    tally, planned = replay.plan(context, schedule, NOON - HOUR, NOON)
    (only,) = map(replay.planned_view, planned)
    assert (only["run_time"], only["kind"], only["outcome"], only["replay_of"]) == (
        "2026-03-02T11:59:00Z",
        "backfill",
        "before_creation",
        None,
    )
    tally = replace(tally, next_from=NOON)
    assert replay.tally_view(tally, dry_run=True)["next_from"] == "2026-03-02T12:00:00Z"
