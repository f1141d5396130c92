"""The prequeuer: windows, watermarks, completion, and agreement of ledger and queues."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rrcli.core.models import EventState, ScheduleState, Timetable
from rrcli.errors import StoreUnavailable
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.operations.window import Filled, queue_window
from rrcli.repository.base import QueueEntry
from rrcli_daemons.prequeuer import CHECK_INTERVAL, ELSEWHERE_SECONDS, Pace, Prequeuer
from tests.contract import samples
from tests.support.clock import FakeClock

TICK = timedelta(seconds=20)
HOOK = "http://127.0.0.1:9/hook"


def make(context: Context, rrule: str, **fields: object) -> str:
    return schedules.create(context, {"name": "s", "rrule": rrule, "callback_url": HOOK, **fields}).id


def run(prequeuer: Prequeuer, context: Context) -> None:
    while (more := prequeuer.run_once(context.now())) is not None and more <= context.now():
        pass


def pending(context: Context, schedule_id: str) -> list[str]:
    events = context.repository.events.pending(schedule_id, limit=10_000).items
    return [f"{event.run_time:%H:%M:%S}" for event in events]


def test_works_at_once_not_after_its_first_interval(context: Context, clock: FakeClock) -> None:
    schedule_id = make(context, "FREQ=MINUTELY;INTERVAL=5")
    clock.advance(timedelta(minutes=6))
    run(Prequeuer(context), context)
    assert pending(context, schedule_id) == ["12:00:00", "12:05:00", "12:10:00", "12:15:00"]


def test_ticks_only_when_the_interval_has_passed(context: Context, clock: FakeClock) -> None:
    schedule_id = make(context, "FREQ=MINUTELY")
    prequeuer = Prequeuer(context)
    run(prequeuer, context)
    clock.advance(timedelta(seconds=10))
    assert prequeuer.run_once(context.now()) == context.now() + CHECK_INTERVAL
    assert pending(context, schedule_id)[-1] == "12:09:00"
    clock.advance(timedelta(seconds=10))
    run(prequeuer, context)
    assert pending(context, schedule_id)[-1] == "12:10:00"


def test_a_clock_set_back_does_not_stop_the_ticks(context: Context, clock: FakeClock) -> None:
    schedule_id = make(context, "FREQ=MINUTELY")
    prequeuer = Prequeuer(context)
    run(prequeuer, context)
    clock.advance(timedelta(hours=-1))
    run(prequeuer, context)
    clock.advance(timedelta(hours=1, seconds=61))
    run(prequeuer, context)
    assert pending(context, schedule_id)[-1] == "12:11:00"


def test_a_dense_rule_fills_its_window_in_several_passes(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rrcli.operations.window.OCCURRENCES_PER_PASS", 7)
    schedule_id = make(context, "FREQ=SECONDLY;INTERVAL=10")
    run(Prequeuer(context), context)
    assert len(pending(context, schedule_id)) == 60
    assert context.repository.queues.depths().ready == 60


def test_many_dense_rules_fill_their_windows_side_by_side(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rrcli.operations.window.LEAST_SHARE", 3)
    monkeypatch.setattr("rrcli_daemons.prequeuer.FILLING", Pace(events=7, rest=0))
    made = [make(context, "FREQ=MINUTELY") for _ in range(6)]
    clock.advance(timedelta(minutes=10))
    prequeuer = Prequeuer(context)
    prequeuer.run_once(context.now())
    assert prequeuer.counters()["queued"] < 60
    run(prequeuer, context)
    assert [len(pending(context, schedule_id)) for schedule_id in made] == [20] * 6
    assert prequeuer.counters()["queued"] == 60


class SlowClock(FakeClock):
    """Each look at the monotonic clock takes a second."""

    def monotonic(self) -> float:
        self.advance(timedelta(seconds=1))
        return super().monotonic()


@pytest.mark.parametrize(
    ("behind", "was_full", "rest"),
    [
        (timedelta(minutes=9), True, 0),
        (timedelta(minutes=5), True, 0),
        (timedelta(minutes=2), True, 3),
        (timedelta(seconds=30), False, 4.5),
        (timedelta(seconds=30), True, 3),
        (timedelta(seconds=10), True, 9),
    ],
)
def test_rests_the_longer_the_fuller_the_window_is_and_longer_still_while_it_is_topped_up(
    context: Context,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    behind: timedelta,
    was_full: bool,
    rest: float,
) -> None:
    for name, length in (("FILLING", 5), ("TOPPING_UP", 12)):
        monkeypatch.setattr(f"rrcli_daemons.prequeuer.{name}", Pace(events=1, rest=length))
    for _ in range(3):
        make(context, "FREQ=SECONDLY")
    clock.advance(behind)
    slow = replace(context, clock=SlowClock(clock.now()))
    prequeuer = Prequeuer(slow)
    prequeuer._was_full = was_full
    now = slow.now()
    more = prequeuer._step(now)
    assert more - now == 2 * timedelta(seconds=1 + rest)
    queued = prequeuer.counters()["queued"]
    prequeuer._step(now)
    assert (prequeuer.counters()["queued"] == queued) is (rest > 0)


@pytest.fixture
def each_pass_takes_a_second(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: Any, **named: Any) -> Filled:
        clock.advance(timedelta(seconds=1))
        return queue_window(*args, **named)

    monkeypatch.setattr("rrcli_daemons.prequeuer.queue_window", slow)


def test_a_process_that_stood_still_in_a_pass_rests_a_tick_at_most(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(context, "FREQ=MINUTELY")
    prequeuer = Prequeuer(context)
    run(prequeuer, context)

    def stopped(*args: Any, **named: Any) -> Filled:
        clock.advance(timedelta(hours=1))
        return queue_window(*args, **named)

    clock.advance(TICK)
    monkeypatch.setattr("rrcli_daemons.prequeuer.queue_window", stopped)
    prequeuer.run_once(context.now())
    monkeypatch.undo()
    clock.advance(TICK)
    run(prequeuer, context)
    assert not context.repository.schedules.due(context.now() + context.window, 1)


def run_for(duration: timedelta, prequeuer: Prequeuer, context: Context, clock: FakeClock) -> list[int]:
    """How many events were queued in each tick's time."""
    queued = [0] * (duration // TICK)
    begin = context.now()
    while (at := context.now() - begin) < duration:
        before = prequeuer.counters()["queued"]
        more = prequeuer.run_once(context.now())
        queued[at // TICK] += int(prequeuer.counters()["queued"] - before)
        assert more is not None
        clock.advance(max(more - context.now(), timedelta(0)))
    return queued


@pytest.mark.parametrize("each_minute", [40, 80])
@pytest.mark.usefixtures("each_pass_takes_a_second")
def test_what_leaves_no_time_for_long_rests_is_queued_evenly_and_ticks_go_on(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, each_minute: int
) -> None:
    kept = replace(context.settings, history=replace(context.settings.history, keep_days=1))
    monkeypatch.setattr("rrcli_daemons.prequeuer.FILLING", Pace(events=2, rest=1, parts=1))
    monkeypatch.setattr("rrcli_daemons.prequeuer.TOPPING_UP", Pace(events=1, rest=6, parts=1))
    for number in range(each_minute):
        start = clock.now() + timedelta(minutes=1) * number / each_minute
        make(context, f"DTSTART:{start:%Y%m%dT%H%M%S}Z\nRRULE:FREQ=MINUTELY")
    prequeuer = Prequeuer(replace(context, settings=kept))
    run_for(timedelta(minutes=5), prequeuer, context, clock)
    ended = make(context, "FREQ=MINUTELY;COUNT=1")
    done = [
        event.moved(EventState.COMPLETED, context.now(), "done")
        for event in context.repository.events.unfinished(ended)
    ]
    context.repository.events.archive(done, context.now() - timedelta(days=2))
    ticks = prequeuer.counters()["ticks"]
    queued = run_for(timedelta(minutes=5), prequeuer, context, clock)
    assert prequeuer.counters()["ticks"] - ticks >= 14
    assert schedules.get(context, ended).state is ScheduleState.COMPLETED
    assert context.repository.events.history(ended, limit=1).total == 0
    assert max(queued) - min(queued) <= 2
    assert not context.repository.schedules.due(context.now() + context.window - 2 * TICK, 1)


def test_a_prequeuer_that_was_overtaken_goes_on_elsewhere_and_leaves_nothing_out(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rrcli_daemons.prequeuer.SCHEDULES_PER_PASS", 4)
    monkeypatch.setattr("rrcli_daemons.prequeuer.random", lambda: 0.5)
    starts = [clock.now() + timedelta(minutes=16, seconds=30 * number) for number in range(16)]
    made = [make(context, f"DTSTART:{start:%Y%m%dT%H%M%S}Z\nRRULE:FREQ=DAILY") for start in starts]
    quick, slow = Prequeuer(context), Prequeuer(context)
    monkeypatch.setattr("rrcli_daemons.prequeuer.FILLING", Pace(events=2000, rest=0, parts=1))
    turns = iter([lambda: quick.run_once(context.now())])

    def overtaken(*args: Any, **named: Any) -> Filled:
        next(turns, lambda: None)()
        return queue_window(*args, **named)

    def queued() -> set[int]:
        return {number for number, schedule_id in enumerate(made) if pending(context, schedule_id)}

    clock.advance(timedelta(minutes=15))
    monkeypatch.setattr("rrcli_daemons.prequeuer.queue_window", overtaken)
    slow.run_once(context.now())
    assert queued() == {0, 1, 2, 3}
    slow.run_once(context.now())
    assert queued() == {0, 1, 2, 3, 9, 10, 11, 12}
    clock.advance(timedelta(seconds=ELSEWHERE_SECONDS + 1))  # the quick one has died
    slow.run_once(context.now())
    assert queued() == {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12}
    run(slow, context)
    assert queued() == set(range(16))
    assert context.repository.queues.depths().ready == 16


@pytest.mark.usefixtures("each_pass_takes_a_second")
def test_a_prequeuer_that_went_elsewhere_does_not_rest_while_the_earliest_schedules_are_behind(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rrcli_daemons.prequeuer.SCHEDULES_PER_PASS", 4)
    monkeypatch.setattr("rrcli_daemons.prequeuer.random", lambda: 0.8)
    for number in range(24):
        start = clock.now() + timedelta(minutes=16, seconds=24 * number)
        make(context, f"DTSTART:{start:%Y%m%dT%H%M%S}Z\nRRULE:FREQ=DAILY")
    clock.advance(timedelta(minutes=15))
    prequeuer = Prequeuer(context)
    with monkeypatch.context() as overtaking:
        overtaking.setattr(
            "rrcli_daemons.prequeuer.queue_window", lambda *_, **__: Filled(schedules=4, overtaken=4)
        )
        prequeuer.run_once(context.now())
    more = prequeuer.run_once(context.now())
    assert prequeuer.counters()["queued"] == 4
    assert context.repository.schedules.due(context.now() + context.window / 2, 1)
    assert more == context.now()


def test_what_one_part_of_a_pass_could_not_write_is_queued_once_by_the_next(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make(context, "FREQ=MINUTELY;INTERVAL=5") for _ in range(4)]
    failures = iter([True])

    def breaking(context: Context, part: Sequence[Timetable], *args: Any, **named: Any) -> Filled:
        if made[0] in {schedule.id for schedule in part} and next(failures, False):
            raise StoreUnavailable("The connection broke.")
        return queue_window(context, part, *args, **named)

    monkeypatch.setattr("rrcli_daemons.prequeuer.queue_window", breaking)
    clock.advance(timedelta(minutes=6))
    prequeuer = Prequeuer(context)
    with pytest.raises(StoreUnavailable):
        prequeuer.run_once(context.now())
    run(prequeuer, context)
    prequeuer.finish()
    for schedule_id in made:
        assert pending(context, schedule_id) == ["12:00:00", "12:05:00", "12:10:00", "12:15:00"]
    assert context.repository.queues.depths().ready == 16


def test_after_downtime_only_the_latest_occurrence_fires(context: Context, clock: FakeClock) -> None:
    schedule_id = make(context, "FREQ=MINUTELY")
    clock.advance(timedelta(minutes=30))
    run(Prequeuer(context), context)
    # The window that was queued at creation is live; the worker judges it when it comes up.
    assert pending(context, schedule_id)[10] == "12:29:00"
    (skipped,) = context.repository.events.history(schedule_id, limit=10).items
    assert skipped.state is EventState.SKIPPED
    assert skipped.span is not None
    assert skipped.span.count == 19
    assert f"{skipped.span.first:%H:%M} {skipped.span.last:%H:%M}" == "12:10 12:28"


def test_live_events_in_no_queue_are_queued_again(context: Context) -> None:
    schedule_id = make(context, "FREQ=MINUTELY")
    ids = [event.id for event in context.repository.events.pending(schedule_id, limit=100).items]
    context.repository.queues.withdraw(ids)
    assert context.repository.queues.depths().ready == 0
    run(Prequeuer(context), context)
    assert context.repository.queues.depths().ready == len(ids) == 10


def test_events_that_are_queued_stay_where_they_are(context: Context) -> None:
    make(context, "FREQ=MINUTELY")
    run(Prequeuer(context), context)
    assert context.repository.queues.depths().ready == 10


def test_a_schedule_completes_when_its_last_event_has_ended(context: Context, clock: FakeClock) -> None:
    schedule_id = make(context, "FREQ=MINUTELY;COUNT=2")
    prequeuer = Prequeuer(context)
    run(prequeuer, context)
    assert schedules.get(context, schedule_id).state is ScheduleState.ACTIVE
    done = [
        event.moved(EventState.COMPLETED, context.now(), "done")
        for event in context.repository.events.unfinished(schedule_id)
    ]
    context.repository.events.archive(done, context.now())
    clock.advance(timedelta(minutes=1))
    run(prequeuer, context)
    completed = schedules.get(context, schedule_id)
    assert completed.state is ScheduleState.COMPLETED
    clock.advance(timedelta(minutes=1))
    run(prequeuer, context)
    assert schedules.get(context, schedule_id).revision == completed.revision


def test_a_rule_that_cannot_be_read_pauses_its_schedule_and_stops_no_other(context: Context) -> None:
    broken = schedules.get(context, make(context, "FREQ=MINUTELY;INTERVAL=5"))
    context.repository.schedules.replace(replace(broken, rrule="FREQ=NEVER", revision=2), expected_revision=1)
    good = make(context, "FREQ=HOURLY")
    context.clock.advance(timedelta(minutes=55))  # type: ignore[attr-defined]
    run(Prequeuer(context), context)
    paused = schedules.get(context, broken.id)
    assert paused.state is ScheduleState.PAUSED
    assert "cannot be read" in (paused.state_reason or "")
    assert pending(context, good) == ["12:00:00", "13:00:00"]


def test_history_past_its_time_is_removed(context: Context, clock: FakeClock) -> None:
    kept = replace(context.settings, history=replace(context.settings.history, keep_days=1))
    schedule_id = make(context, "FREQ=MINUTELY;COUNT=1")
    events = context.repository.events
    done = [
        event.moved(EventState.COMPLETED, context.now(), "done") for event in events.unfinished(schedule_id)
    ]
    events.archive(done, context.now())
    clock.advance(timedelta(days=1, seconds=1))
    run(Prequeuer(replace(context, settings=kept)), context)
    assert events.history(schedule_id, limit=1).total == 0


@pytest.mark.parametrize(("batch", "left"), [(4, 1), (1, 3)])
def test_history_is_removed_in_batches_between_the_passes_and_faster_than_it_grows(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, batch: int, left: int
) -> None:
    monkeypatch.setattr("rrcli_daemons.prequeuer.EVENTS_PER_PURGE", batch)
    monkeypatch.setattr("rrcli_daemons.prequeuer.FILLING", Pace(events=1, rest=0, parts=1))
    kept = replace(context.settings, history=replace(context.settings.history, keep_days=1))
    past = [samples.ended(samples.event(number)) for number in range(5)]
    context.repository.events.archive(past, context.now() - timedelta(days=2))
    for _ in range(3):
        make(context, "FREQ=MINUTELY")
    clock.advance(timedelta(minutes=1))
    prequeuer = Prequeuer(replace(context, settings=kept))
    prequeuer.run_once(context.now())
    assert prequeuer.counters()["queued"] == 1
    assert context.repository.events.history(None, limit=1).total == left
    run(prequeuer, context)
    assert prequeuer.counters()["queued"] == 3
    assert context.repository.events.history(None, limit=1).total == 0


def test_two_prequeuers_queue_an_occurrence_once(context: Context, clock: FakeClock) -> None:
    schedule_id = make(context, "FREQ=MINUTELY")
    clock.advance(timedelta(minutes=5))
    first, second = Prequeuer(context), Prequeuer(context)
    run(first, context)
    run(second, context)
    assert len(pending(context, schedule_id)) == 15
    assert context.repository.queues.depths().ready == 15


def test_a_queue_entry_of_a_finished_event_means_nothing(context: Context) -> None:
    schedule_id = make(context, "FREQ=MINUTELY;COUNT=1")
    (event,) = context.repository.events.unfinished(schedule_id)
    done = event.moved(EventState.COMPLETED, context.now(), "done")
    context.repository.events.archive([done], context.now())
    context.repository.queues.add([QueueEntry(event_id=event.id, due=context.now())])
    assert context.repository.events.get([event.id]) == {}
