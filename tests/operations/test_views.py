"""What a person sees: previews, records as JSON, the state of the whole."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from rrcli.core.inputs import MASK, READ_ONLY, SCHEDULE_FIELDS
from rrcli.core.models import Attempt, EventState, ScheduleState, Span
from rrcli.errors import InvalidInput
from rrcli.operations import changes
from rrcli.operations.context import Context
from rrcli.operations.preview import OCCURRENCES_LIMIT, preview
from rrcli.operations.status import HEARTBEAT_SECONDS, status
from rrcli.operations.views import event_view, schedule_view
from rrcli.repository.base import Heartbeat
from tests.operations.standing import NOON, after, live, make, minutes, on_one_store, stored
from tests.support.clock import FakeClock

SECRET = "whsec_" + "A" * 32

# Preview


def test_a_preview_counts_from_now_and_says_whether_more_follow():
    shown = preview("FREQ=MINUTELY;COUNT=3", None, now=NOON, limit=2)
    assert (shown.occurrences, shown.more) == (tuple(minutes(0, 1)), True)
    shown = preview("FREQ=MINUTELY;COUNT=3", None, now=NOON, limit=3)
    assert (shown.occurrences, shown.more) == (tuple(minutes(0, 1, 2)), False)


def test_a_preview_can_be_bounded_on_both_sides():
    shown = preview("FREQ=MINUTELY", None, now=NOON, after=minutes(5)[0], before=minutes(7)[0])
    assert (shown.occurrences, shown.more) == (tuple(minutes(5, 6)), False)


def test_a_preview_of_a_rule_that_has_ended_is_empty():
    shown = preview("DTSTART:20250101T000000Z\nRRULE:FREQ=DAILY;COUNT=3", None, now=NOON)
    assert (shown.occurrences, shown.more) == ((), False)


@pytest.mark.parametrize("limit", [0, -1, OCCURRENCES_LIMIT + 1, 10**9])
def test_a_preview_is_bounded(limit: int):
    with pytest.raises(InvalidInput) as caught:
        preview("FREQ=MINUTELY", None, now=NOON, limit=limit)
    assert caught.value.fields[0].field == "limit"


def test_the_largest_preview_is_answered():
    shown = preview("FREQ=SECONDLY", None, now=NOON, limit=OCCURRENCES_LIMIT)
    assert len(shown.occurrences) == OCCURRENCES_LIMIT


@pytest.mark.parametrize(
    ("rrule", "timezone", "field"),
    [
        ("FREQ=NEVER", None, "rrule"),
        ("FREQ=DAILY", "Nowhere/Land", "timezone"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", None, "rrule"),
    ],
)
def test_a_wrong_rule_is_refused_under_its_field(rrule: str, timezone: str | None, field: str):
    with pytest.raises(InvalidInput) as caught:
        preview(rrule, timezone, now=NOON)
    assert [error.field for error in caught.value.fields] == [field]


# Records as JSON


@on_one_store
def test_a_schedule_shows_every_field_and_no_other(context: Context):
    assert schedule_view(make(context), NOON).keys() == {*SCHEDULE_FIELDS, *READ_ONLY}


@on_one_store
def test_header_values_and_secrets_are_masked_unless_asked_for(context: Context):
    schedule = make(context, headers={"Authorization": "hunter2"}, secrets=[SECRET])
    masked = schedule_view(schedule, NOON)
    assert (masked["headers"], masked["secrets"]) == ({"Authorization": MASK}, [MASK])
    assert "hunter2" not in str(masked)
    shown = schedule_view(schedule, NOON, reveal=True)
    assert (shown["headers"], shown["secrets"]) == ({"Authorization": "hunter2"}, [SECRET])


@on_one_store
def test_what_is_shown_can_be_sent_back_and_changes_nothing(context: Context):
    schedule = make(context, "FREQ=HOURLY", method="PUT", headers={"X-A": "b"}, secrets=[SECRET], body="x")
    shown = {name: value for name, value in schedule_view(schedule, NOON).items() if name not in READ_ONLY}
    assert changes.update(context, schedule.id, shown).revision == 1


@on_one_store
def test_next_run_is_the_next_occurrence_not_the_watermark(context: Context, clock: FakeClock):
    schedule = stored(context, make(context))
    assert schedule.next_run == minutes(10)[0]
    assert schedule_view(schedule, NOON)["next_run"] == "2026-03-02T12:00:00Z"
    assert schedule_view(schedule, after(1))["next_run"] == "2026-03-02T12:01:00Z"


@on_one_store
@pytest.mark.parametrize(
    "changes", [{"state": ScheduleState.PAUSED}, {"state": ScheduleState.COMPLETED}, {"rrule": "garbage"}]
)
def test_a_schedule_that_makes_no_occurrences_shows_none(context: Context, changes: dict):
    assert schedule_view(replace(make(context), **changes), NOON)["next_run"] is None


@on_one_store
def test_an_event_has_the_originals_fields_and_ours(context: Context):
    event = live(context, make(context))[0]
    attempt = Attempt(time=after(1), duration_ms=2.5, status_code=500, response="no")
    tried = event.moved(EventState.RETRY, after(1), "500", attempts=(attempt,), due=after(3), lateness_ms=7.0)
    assert event_view(tried) == {
        "_id": event.id,
        "schedule_id": event.schedule_id,
        "run_time": "2026-03-02T12:00:00Z",
        "status": [
            {
                "time": "2026-03-02T12:00:00Z",
                "status": "ready_queue",
                "message": "Event pre-queued for ready queue",
            },
            {"time": "2026-03-02T12:00:01Z", "status": "retry", "message": "500"},
        ],
        "created_at": "2026-03-02T12:00:00Z",
        "state": "retry",
        "kind": "scheduled",
        "revision": 1,
        "due": "2026-03-02T12:00:03Z",
        "attempts": [
            {
                "time": "2026-03-02T12:00:01Z",
                "duration_ms": 2.5,
                "status_code": 500,
                "error": None,
                "response": "no",
            }
        ],
        "lateness_ms": 7.0,
        "replay_of": None,
        "webhook_id": event.id,
    }


@on_one_store
def test_an_entry_for_several_occurrences_shows_its_span(context: Context):
    event = live(context, make(context))[0]
    span = Span(first=NOON, last=after(60), count=2)
    assert event_view(structs.replace(event, span=span))["span"] == {
        "first": "2026-03-02T12:00:00Z",
        "last": "2026-03-02T12:01:00Z",
        "count": 2,
    }


# Status


def beat(context: Context, daemon: str) -> None:
    now = context.now()
    context.repository.heartbeats.beat(
        Heartbeat(
            daemon=daemon,
            instance=f"{daemon}-1",
            host="here",
            pid=1,
            started_at=now,
            seen_at=now,
            detail={"ticks": 1.0},
        )
    )


def test_status_counts_schedules_events_and_queues(context: Context):
    changes.pause(context, make(context).id)
    make(context)
    shown = status(context)
    assert shown.now == NOON
    assert shown.schedules == {ScheduleState.ACTIVE: 1, ScheduleState.PAUSED: 1}
    assert shown.events == {EventState.READY: 10}
    assert (shown.depths.ready, shown.depths.oldest_due) == (10, NOON)
    assert shown.store == context.repository.description


def test_status_tells_which_daemons_are_alive(context: Context, clock: FakeClock):
    assert status(context).absent == ("prequeuer", "dispatcher", "worker")
    beat(context, "prequeuer")
    clock.advance(timedelta(seconds=3 * HEARTBEAT_SECONDS - 1))
    beat(context, "worker")
    assert status(context).absent == ("dispatcher",)
    clock.advance(timedelta(seconds=1))
    assert status(context).absent == ("prequeuer", "dispatcher")
    clock.advance(timedelta(hours=2))
    assert status(context).heartbeats == ()
