"""Creating, changing, pausing, triggering and deleting schedules."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rrcli.core.inputs import MASK
from rrcli.core.models import EventState, Kind, Retry, Schedule, ScheduleState
from rrcli.errors import Conflict, FieldError, InvalidInput, NotFound
from rrcli.operations import changes, events, schedules, stale
from rrcli.operations.context import Context
from rrcli.repository.base import Repository
from rrcli.settings import ScheduleSettings
from tests.operations.standing import (
    NOON,
    URL,
    after,
    archived,
    assert_in_agreement,
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
from tests.support.leftovers import leftovers

ABSENT = "0" * 24
SECRET = "whsec_" + "A" * 32
OTHER_SECRET = "whsec_" + "B" * 32


def refused(act: Callable[..., object], *args: Any, **kwargs: Any) -> tuple[FieldError, ...]:
    with pytest.raises(InvalidInput) as caught:
        act(*args, **kwargs)
    return caught.value.fields


# Create


def test_a_rule_without_dtstart_starts_at_the_next_whole_second(context: Context, clock: FakeClock):
    clock.advance(timedelta(milliseconds=600))
    schedule = make(context, "FREQ=HOURLY")
    assert schedule.rrule == "DTSTART:20260302T120001Z\nRRULE:FREQ=HOURLY"
    assert stored(context, schedule).rrule == schedule.rrule


def test_the_anchor_is_written_in_the_time_zone_of_the_schedule(context: Context):
    schedule = make(context, "FREQ=DAILY", timezone="America/New_York")
    assert schedule.rrule == "DTSTART;TZID=America/New_York:20260302T070000\nRRULE:FREQ=DAILY"


def test_what_is_created_is_what_is_stored(context: Context):
    schedule = make(
        context,
        timezone="Europe/Berlin",
        method="put",
        headers={"X-A": "b"},
        body="ü",
        timeout_seconds=5,
        max_retries=7,
        retry={"cap_seconds": 60},
        follow_redirects=True,
        misfire={"policy": "all"},
        overlap="queue",
        jitter_seconds=1.5,
        tags=["a", "b"],
        secrets=[SECRET],
    )
    found = stored(context, schedule)
    assert found.method == "PUT"
    assert (found.retry.base_seconds, found.retry.cap_seconds) == (1.0, 60.0)
    assert (found.misfire.policy, found.misfire.grace_seconds) == ("all", 60.0)
    assert replace(found, next_run=None) == replace(schedule, next_run=None)
    assert (found.revision, found.created_at, found.updated_at) == (1, NOON, NOON)


def test_misfire_defaults_are_those_of_the_settings(context: Context):
    settings = replace(
        context.settings, misfire=replace(context.settings.misfire, policy="skip", grace_seconds=5.0)
    )
    schedule = make(replace(context, settings=settings), misfire={"window_seconds": 9})
    assert (schedule.misfire.policy, schedule.misfire.grace_seconds) == ("skip", 5.0)
    assert schedule.misfire.window_seconds == 9


def test_an_occurrence_in_two_seconds_stands_in_the_ready_queue_at_once(context: Context):
    schedule = make(context, "DTSTART:20260302T120002Z\nRRULE:FREQ=DAILY")
    (event,) = live(context, schedule)
    assert (event.run_time, event.due, event.state) == (after(2), after(2), EventState.READY)
    assert context.repository.queues.head() == after(2)


def test_the_whole_window_is_queued_and_nothing_beyond_it(context: Context):
    schedule = make(context)
    assert firing(context, schedule) == minutes(*range(10))
    assert stored(context, schedule).next_run == minutes(10)[0]
    assert_in_agreement(context, schedule)


def test_occurrences_before_creation_never_fire(context: Context):
    schedule = make(context, "DTSTART:20200101T000000Z\nRRULE:FREQ=MINUTELY")
    assert firing(context, schedule)[0] == NOON
    assert not archived(context, schedule)


def test_a_rule_whose_occurrences_are_all_past_makes_a_completed_schedule(context: Context):
    schedule = make(context, "DTSTART:20250101T000000Z\nRRULE:FREQ=DAILY;COUNT=3")
    assert (schedule.state, schedule.next_run) == (ScheduleState.COMPLETED, None)
    assert not live(context, schedule)


def test_jitter_delays_the_call_and_not_the_nominal_instant(context: Context):
    schedule = make(context, jitter_seconds=30)
    for event, run_time in zip(live(context, schedule), minutes(*range(10)), strict=True):
        assert event.run_time == run_time
        assert run_time <= event.due < run_time + timedelta(seconds=30)
    assert context.repository.queues.head() == min(event.due for event in live(context, schedule))


@on_one_store
@pytest.mark.parametrize(
    "rrule",
    [
        "not a rule",
        "FREQ=FORTNIGHTLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;COUNT=0",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY\nEXDATE:20260302T120000Z;",
        pytest.param("FREQ=DAILY;BYDAY=" + ",".join(["MO"] * 33_000), id="100,000 characters"),
        pytest.param("x" * 100_000, id="100,000 letters"),
        pytest.param("FREQ=DAILY;COUNT=" + "9" * 100_000, id="100,000 digits"),
        pytest.param("\n" * 100_000, id="100,000 lines"),
    ],
)
def test_a_wrong_rule_is_refused_soon_and_under_its_field(context: Context, rrule: str):
    begun = time.perf_counter()
    (error,) = refused(make, context, rrule)
    assert time.perf_counter() - begun < 1
    assert error.field == "rrule"
    assert len(error.sentence()) < 1000
    assert schedules.find(context, limit=1).total == 0


@on_one_store
@pytest.mark.parametrize("timezone", ["Nowhere/Land", "../../etc/passwd", "EST5EDT4,M3", "\x1b[2J"])
def test_a_wrong_time_zone_is_refused_under_its_field(context: Context, timezone: str):
    (error,) = refused(make, context, timezone=timezone)
    assert error.field == "timezone"


@on_one_store
def test_a_wrong_zone_inside_the_rule_is_refused_under_the_rule(context: Context):
    (error,) = refused(make, context, "DTSTART;TZID=Nowhere/Land:20260302T120000\nRRULE:FREQ=DAILY")
    assert error.field == "rrule"


@on_one_store
def test_a_rule_emptied_by_its_exceptions_is_refused(context: Context):
    (error,) = refused(
        make, context, "DTSTART:20260302T120000Z\nRRULE:FREQ=DAILY;COUNT=1\nEXDATE:20260302T120000Z"
    )
    assert error.field == "rrule"


@on_one_store
def test_a_mask_for_which_nothing_is_stored_is_refused(context: Context):
    errors = refused(make, context, headers={"X-A": MASK}, secrets=[SECRET])
    errors += refused(make, context, secrets=[SECRET, MASK])
    assert [error.field for error in errors] == ["headers.X-A", "secrets[1]"]


# Update


def test_a_change_keeps_every_other_field(context: Context, clock: FakeClock):
    before = make(context, body="a", tags=["x"])
    clock.advance(timedelta(seconds=5))
    changes.update(context, before.id, {"name": "b", "retry": {"factor": 3}})
    found = stored(context, before)
    assert (found.name, found.retry.factor, found.retry.base_seconds) == ("b", 3.0, 1.0)
    assert (found.body, found.tags, found.rrule) == ("a", ("x",), before.rrule)
    assert (found.revision, found.rule_revision, found.updated_at) == (2, 1, after(5))


def test_a_change_of_other_fields_leaves_the_queues_alone(context: Context):
    schedule = make(context)
    events = live(context, schedule)
    changes.update(context, schedule.id, {"callback_url": URL + "/other", "body": "x"})
    assert live(context, schedule) == events
    assert_in_agreement(context, schedule)


@on_one_store
@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "a"},
        {"rrule": "FREQ=MINUTELY"},
        {"rrule": "RRULE:FREQ=MINUTELY"},
        {"rrule": "DTSTART:20260302T120000Z\nRRULE:FREQ=MINUTELY"},
        {"timezone": None},
    ],
)
def test_the_same_again_changes_nothing(context: Context, clock: FakeClock, data: dict[str, Any]):
    before = make(context)
    clock.advance(timedelta(seconds=75))
    assert changes.update(context, before.id, data) == stored(context, before)
    assert stored(context, before).revision == 1


def test_a_new_rule_supersedes_only_what_it_does_not_have(context: Context):
    schedule = make(context)
    changes.update(context, schedule.id, {"rrule": "FREQ=MINUTELY;INTERVAL=3"})
    assert firing(context, schedule) == minutes(0, 3, 6, 9)
    superseded = archived(context, schedule, EventState.SUPERSEDED)
    assert run_times(superseded) == minutes(1, 2, 4, 5, 7, 8)
    assert superseded[0].status[-1].message == ("Schedule was changed at revision 2; this event was of 1")
    assert_in_agreement(context, schedule)


def test_going_back_to_the_old_rule_brings_its_occurrences_back(context: Context):
    schedule = make(context)
    changes.update(context, schedule.id, {"rrule": "FREQ=MINUTELY;INTERVAL=3"})
    changes.update(context, schedule.id, {"rrule": "FREQ=MINUTELY"})
    assert firing(context, schedule) == minutes(*range(10))
    assert not archived(context, schedule)
    assert_in_agreement(context, schedule)


def test_a_new_rule_without_dtstart_keeps_the_anchor(context: Context, clock: FakeClock):
    schedule = make(context, "FREQ=HOURLY")
    clock.advance(timedelta(minutes=17))
    changed = changes.update(context, schedule.id, {"rrule": "FREQ=DAILY"})
    assert changed.rrule == "DTSTART:20260302T120000Z\nRRULE:FREQ=DAILY"


@on_one_store
@pytest.mark.parametrize(
    ("start", "rrule"),
    [
        ("DTSTART;TZID=America/New_York:20260302T083000", "FREQ=WEEKLY"),
        ("DTSTART;TZID=America/New_York:20260308T023000", "RRULE:FREQ=WEEKLY"),
        ("DTSTART:20260302T083000Z", "RRULE:FREQ=WEEKLY\nEXDATE:20260309T083000Z"),
    ],
    ids=["zone in the rule", "start in a DST gap", "with an exception"],
)
def test_a_new_rule_without_dtstart_keeps_the_old_line_as_it_was(context: Context, start: str, rrule: str):
    schedule = make(context, f"{start}\nRRULE:FREQ=DAILY")
    changed = changes.update(context, schedule.id, {"rrule": rrule})
    assert changed.rrule.splitlines()[:2] == [start, "RRULE:FREQ=WEEKLY"]
    assert len(changed.rrule.splitlines()) == 2 + rrule.count("\n")


def test_a_new_time_zone_alone_keeps_the_wall_clock(context: Context):
    schedule = make(
        context,
        "DTSTART;TZID=America/New_York:20260301T083000\nRRULE:FREQ=DAILY\n"
        "EXDATE;TZID=America/New_York:20260303T083000\nRDATE:20260304T120000Z",
    )
    changed = changes.update(context, schedule.id, {"timezone": "Europe/Berlin"})
    assert changed.timezone == "Europe/Berlin"
    assert set(changed.rrule.splitlines()) == {
        "DTSTART;TZID=Europe/Berlin:20260301T083000",
        "RRULE:FREQ=DAILY",
        "EXDATE;TZID=Europe/Berlin:20260303T083000",
        "RDATE:20260304T120000Z",
    }


@on_one_store
@pytest.mark.parametrize(("before", "then"), [("Europe/Berlin", None), (None, "Europe/Berlin")])
def test_a_time_zone_can_be_taken_away_and_given(context: Context, before: str | None, then: str | None):
    schedule = make(context, "DTSTART:20260301T083000\nRRULE:FREQ=DAILY", timezone=before)
    changed = changes.update(context, schedule.id, {"timezone": then})
    zone = f";TZID={then}:20260301T083000" if then else ":20260301T083000Z"
    assert changed.rrule.splitlines()[0] == f"DTSTART{zone}"
    assert_in_agreement(context, schedule)


def test_a_completed_schedule_becomes_active_with_a_new_rule(context: Context):
    schedule = make(context, "DTSTART:20250101T000000Z\nRRULE:FREQ=DAILY;COUNT=3")
    assert changes.update(context, schedule.id, {"rrule": "DTSTART:20260302T120100Z\nRRULE:FREQ=DAILY"})
    assert stored(context, schedule).state is ScheduleState.ACTIVE
    assert firing(context, schedule) == minutes(1)


def test_a_rule_that_has_ended_completes_the_schedule(context: Context):
    schedule = make(context)
    changed = changes.update(
        context, schedule.id, {"rrule": "DTSTART:20250101T000000Z\nRRULE:FREQ=DAILY;COUNT=3"}
    )
    assert (changed.state, changed.next_run) == (ScheduleState.COMPLETED, None)
    assert not live(context, schedule)
    assert len(archived(context, schedule, EventState.SUPERSEDED)) == 10


def test_a_wrong_change_changes_nothing(context: Context):
    schedule = make(context)
    (error,) = refused(changes.update, context, schedule.id, {"name": "b", "rrule": "FREQ=NEVER"})
    assert error.field == "rrule"
    assert stored(context, schedule).name == "a"
    assert_in_agreement(context, schedule)


def test_what_was_missed_before_a_change_of_rule_is_recorded(context: Context, clock: FakeClock):
    schedule = make(context)
    clock.advance(timedelta(minutes=30))
    changes.update(context, schedule.id, {"rrule": "FREQ=MINUTELY;INTERVAL=7"})
    (skipped,) = archived(context, schedule, EventState.SKIPPED)
    assert skipped.span is not None
    assert (skipped.span.first, skipped.span.last, skipped.span.count) == (*minutes(10, 29), 20)
    assert skipped.status[-1].message == "20 occurrences not queued before the schedule was changed"


def test_masked_values_keep_what_is_stored(context: Context):
    schedule = make(context, headers={"Authorization": "one", "X-B": "two"}, secrets=[SECRET, OTHER_SECRET])
    changed = changes.update(
        context,
        schedule.id,
        {"headers": {"authorization": MASK, "X-C": "three"}, "secrets": [OTHER_SECRET, MASK]},
    )
    assert changed.headers == {"authorization": "one", "X-C": "three"}
    assert changed.secrets == (OTHER_SECRET, OTHER_SECRET)


@on_one_store
def test_a_mask_beyond_what_is_stored_is_refused_on_a_change(context: Context):
    schedule = make(context, headers={"X-A": "one"}, secrets=[SECRET])
    data = {"headers": {"X-B": MASK}}
    assert refused(changes.update, context, schedule.id, data)[0].field == "headers.X-B"
    data = {"secrets": [MASK, MASK]}
    assert refused(changes.update, context, schedule.id, data)[0].field == "secrets[1]"


@pytest.mark.parametrize(
    "act",
    [
        lambda context, id, revision: changes.update(context, id, {"name": "b"}, expected_revision=revision),
        lambda context, id, revision: changes.pause(context, id, expected_revision=revision),
        lambda context, id, revision: changes.resume(context, id, expected_revision=revision),
        lambda context, id, revision: schedules.delete(context, id, expected_revision=revision),
    ],
    ids=["update", "pause", "resume", "delete"],
)
def test_a_stale_revision_is_a_conflict(context: Context, act: Callable[[Context, str, int], object]):
    schedule = make(context)
    changes.update(context, schedule.id, {"name": "c"})
    before = stored(context, schedule)
    with pytest.raises(Conflict, match=r"is at revision 2, not 1\.$"):
        act(context, schedule.id, 1)
    assert stored(context, schedule) == before
    act(context, schedule.id, 2)


@on_one_store
@pytest.mark.parametrize(
    "act",
    [
        lambda context: schedules.get(context, ABSENT),
        lambda context: changes.update(context, ABSENT, {"name": "b"}),
        lambda context: changes.pause(context, ABSENT),
        lambda context: changes.resume(context, ABSENT),
        lambda context: events.trigger(context, ABSENT),
        lambda context: schedules.delete(context, ABSENT),
        lambda context: schedules.resolve(context, "absent"),
    ],
)
def test_an_absent_schedule_is_not_found(context: Context, act: Callable[[Context], object]):
    with pytest.raises(NotFound):
        act(context)


def test_concurrent_changes_lose_no_write(context: Context, open_again: Callable[[], Repository]):
    schedule = make(context)
    edits: list[dict[str, Any]] = [
        {"name": "b"},
        {"body": "x"},
        {"method": "PUT"},
        {"timeout_seconds": 5},
        {"max_retries": 9},
        {"overlap": "skip"},
        {"tags": ["t"]},
        {"rrule": "FREQ=MINUTELY;INTERVAL=2"},
    ]
    ready = threading.Barrier(len(edits))
    failures: list[BaseException] = []

    def change(data: dict[str, Any]) -> None:
        own = replace(context, repository=open_again())
        ready.wait()
        try:
            changes.update(own, schedule.id, data)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=change, args=(data,)) for data in edits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not failures
    found = stored(context, schedule)
    assert found.revision == 1 + len(edits)
    assert (found.name, found.body, found.method, found.timeout_seconds) == ("b", "x", "PUT", 5.0)
    assert (found.max_retries, found.overlap, found.tags) == (9, "skip", ("t",))
    prequeue(context)
    assert_in_agreement(context, schedule)


def test_a_schedule_that_others_change_all_the_time_is_a_conflict(
    context: Context, monkeypatch: pytest.MonkeyPatch
):
    schedule = make(context)
    monkeypatch.setattr(context.repository.schedules, "replace", lambda *_, **__: False)
    with pytest.raises(Conflict, match="all the time"):
        changes.update(context, schedule.id, {"name": "b"})


# Pause and resume


def test_a_pause_supersedes_what_is_queued_and_makes_no_more(context: Context, clock: FakeClock):
    schedule = make(context)
    paused = changes.pause(context, schedule.id, reason="Holidays")
    assert (paused.state, paused.state_reason) == (ScheduleState.PAUSED, "Holidays")
    assert run_times(archived(context, schedule, EventState.SUPERSEDED)) == minutes(*range(10))
    clock.advance(timedelta(hours=1))
    prequeue(context)
    assert not live(context, schedule)
    assert context.repository.queues.depths().ready == 0


def test_pausing_twice_changes_nothing(context: Context):
    schedule = make(context)
    once = changes.pause(context, schedule.id, reason="a")
    assert changes.pause(context, schedule.id, reason="b") == once == stored(context, schedule)


def test_a_resumed_schedule_fires_from_now_on_and_records_what_the_pause_swallowed(
    context: Context, clock: FakeClock
):
    schedule = make(context)
    changes.pause(context, schedule.id)
    clock.advance(timedelta(minutes=30, seconds=1))
    resumed = changes.resume(context, schedule.id)
    assert (resumed.state, resumed.state_reason) == (ScheduleState.ACTIVE, None)
    assert firing(context, schedule) == minutes(*range(31, 41))
    superseded = archived(context, schedule, EventState.SUPERSEDED)
    (skipped,) = archived(context, schedule, EventState.SKIPPED)
    assert run_times(superseded) == minutes(*range(10))
    assert skipped.span is not None
    assert (skipped.span.first, skipped.span.last, skipped.span.count) == (*minutes(10, 30), 21)
    assert skipped.status[-1].message == "21 occurrences while the schedule was paused"
    assert_in_agreement(context, schedule)


def test_a_short_pause_brings_the_queued_occurrences_back(context: Context, clock: FakeClock):
    schedule = make(context)
    changes.pause(context, schedule.id)
    clock.advance(timedelta(seconds=90))
    changes.resume(context, schedule.id)
    assert firing(context, schedule) == minutes(*range(2, 12))
    assert run_times(archived(context, schedule)) == minutes(0, 1)


def test_resuming_an_active_schedule_changes_nothing(context: Context):
    schedule = make(context)
    assert changes.resume(context, schedule.id).revision == 1


def test_a_rule_that_ended_during_the_pause_completes_the_schedule(context: Context, clock: FakeClock):
    schedule = make(context, "FREQ=HOURLY;COUNT=2")
    changes.pause(context, schedule.id)
    clock.advance(timedelta(hours=5))
    assert changes.resume(context, schedule.id).state is ScheduleState.COMPLETED
    (skipped,) = archived(context, schedule, EventState.SKIPPED)
    assert skipped.status[-1].message == "Occurrence while the schedule was paused"


@pytest.mark.parametrize("act", [changes.pause, changes.resume])
def test_a_completed_schedule_is_neither_paused_nor_resumed(
    context: Context, act: Callable[[Context, str], Schedule]
):
    schedule = make(context, "DTSTART:20250101T000000Z\nRRULE:FREQ=DAILY;COUNT=3")
    with pytest.raises(Conflict, match="is completed"):
        act(context, schedule.id)


def test_a_new_rule_for_a_paused_schedule_does_not_wake_it(context: Context, clock: FakeClock):
    schedule = make(context)
    changes.pause(context, schedule.id)
    clock.advance(timedelta(minutes=30))
    changed = changes.update(context, schedule.id, {"rrule": "FREQ=MINUTELY;INTERVAL=5"})
    assert changed.state is ScheduleState.PAUSED
    assert not live(context, schedule)
    (skipped,) = archived(context, schedule, EventState.SKIPPED)
    assert skipped.status[-1].message == "20 occurrences while the schedule was paused"
    changes.resume(context, schedule.id)
    assert firing(context, schedule) == minutes(30, 35)


def test_a_receiver_that_is_gone_pauses_its_schedule_even_if_someone_deleted_it(context: Context):
    schedule = make(context)
    changes.stop_after_gone(context, schedule.id)
    assert stored(context, schedule).state_reason == "The receiver answered 410 Gone"
    schedules.delete(context, schedule.id)
    changes.stop_after_gone(context, schedule.id)


# Trigger


@pytest.mark.parametrize("state", ["active", "paused", "completed"])
def test_a_trigger_calls_once_now_whatever_the_state(context: Context, state: str):
    ended = "DTSTART:20250101T000000Z\nRRULE:FREQ=DAILY;COUNT=3"
    schedule = make(context, ended if state == "completed" else "FREQ=DAILY;BYHOUR=3")
    if state == "paused":
        changes.pause(context, schedule.id)
    event = events.trigger(context, schedule.id)
    assert live(context, schedule) == [event]
    assert (event.kind, event.run_time, event.due) == (Kind.MANUAL, NOON, NOON)
    assert queued(context) == {event.id}
    assert stale.may_fire(stored(context, schedule), event)


def test_two_triggers_at_one_instant_are_two_calls(context: Context):
    schedule = make(context, "FREQ=DAILY;BYHOUR=3")
    assert events.trigger(context, schedule.id).id != events.trigger(context, schedule.id).id
    assert len(queued(context)) == 2


def test_a_manual_run_survives_pause_and_change(context: Context):
    schedule = make(context, "FREQ=DAILY;BYHOUR=3")
    event = events.trigger(context, schedule.id)
    changes.update(context, schedule.id, {"rrule": "FREQ=WEEKLY;BYHOUR=4"})
    changes.pause(context, schedule.id)
    assert live(context, schedule) == [event]


# Delete


def test_a_deleted_schedule_leaves_nothing_in_any_queue_or_collection(context: Context):
    schedule = make(context)
    changes.update(context, schedule.id, {"rrule": "FREQ=MINUTELY;INTERVAL=3"})
    events.trigger(context, schedule.id)
    due = context.repository.queues.due(NOON, 10)
    assert context.repository.queues.promote(due) == 2
    schedules.delete(context, schedule.id)
    assert leftovers(context.repository, schedule.id) == {}


def test_deleting_one_schedule_leaves_the_others_alone(context: Context):
    kept, gone = make(context), make(context)
    schedules.delete(context, gone.id)
    assert_in_agreement(context, kept)
    assert len(queued(context)) == 10


# Find


def test_a_schedule_is_found_by_id_prefix_or_name(context: Context):
    schedule = make(context, name="Nightly backup")
    for reference in (schedule.id, schedule.id[:20], "Nightly backup"):
        assert schedules.resolve(context, reference).id == schedule.id


def test_a_name_used_twice_is_told_with_all_that_fit(context: Context):
    both = [make(context, name="twin") for _ in range(2)]
    with pytest.raises(Conflict) as caught:
        schedules.resolve(context, "twin")
    for schedule in both:
        assert schedule.id in caught.value.message


# A rule that this version cannot read, stored by another program


@pytest.fixture(
    params=["garbage", "FREQ=MINUTELY", "DTSTART;TZID=Nowhere/Land:20260302T120000\nRRULE:FREQ=DAILY"],
    ids=["garbage", "no DTSTART", "unknown zone"],
)
def unreadable(request: pytest.FixtureRequest, context: Context) -> Schedule:
    schedule = make(context)
    broken = replace(stored(context, schedule), rrule=request.param, revision=2, created_at=after(-180))
    assert context.repository.schedules.replace(broken, expected_revision=1)
    return broken


def test_an_unreadable_schedule_takes_a_new_rule(context: Context, unreadable: Schedule):
    changed = changes.update(context, unreadable.id, {"rrule": "FREQ=MINUTELY;INTERVAL=5"})
    assert changed.rrule == "DTSTART:20260302T115700Z\nRRULE:FREQ=MINUTELY;INTERVAL=5"
    assert_in_agreement(context, unreadable)


def test_an_unreadable_schedule_can_be_paused(context: Context, unreadable: Schedule):
    assert changes.pause(context, unreadable.id).state is ScheduleState.PAUSED
    assert not live(context, unreadable)


def test_an_unreadable_schedule_can_be_renamed(context: Context, unreadable: Schedule):
    assert changes.update(context, unreadable.id, {"name": "b"}).name == "b"


def test_an_unreadable_schedule_can_be_deleted(context: Context, unreadable: Schedule):
    schedules.delete(context, unreadable.id)
    assert leftovers(context.repository, unreadable.id) == {}


def test_what_a_new_schedule_does_not_say_comes_from_the_settings(context: Context) -> None:
    defaults = ScheduleSettings(
        timeout_seconds=7,
        overlap="queue",
        jitter_seconds=3,
        retry_base_seconds=5,
        retry_factor=3,
        retry_cap_seconds=60,
        auto_pause_after=4,
    )
    context = replace(context, settings=replace(context.settings, schedule=defaults))
    made = make(context, retry={"factor": 1.5}, timeout_seconds=9)
    assert (made.timeout_seconds, made.overlap, made.jitter_seconds) == (9, "queue", 3)
    assert made.retry == Retry(base_seconds=5, factor=1.5, cap_seconds=60)
    assert made.auto_pause_after == 4
