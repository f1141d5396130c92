"""The audit: every instant beside its entry, on both stores."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from rrcli.core.models import Attempt, Event, EventState, Schedule
from rrcli.errors import InvalidInput
from rrcli.operations import audit, changes, events
from rrcli.operations.audit import Absence, Report, Row
from rrcli.operations.context import Context
from tests.operations.standing import NOON, after, live, make, minutes, prequeue, stored
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def rows(context: Context, schedule: Schedule) -> list[Row]:
    """Of the hour before noon to the hour after."""
    _, found = audit.audit(context, stored(context, schedule), NOON - HOUR, NOON + HOUR)
    return list(found)


def report(context: Context, schedule: Schedule) -> Report:
    return audit.report(context, schedule.id, NOON - HOUR, NOON + HOUR)


def finish(context: Context, event: Event, state: EventState = EventState.COMPLETED) -> None:
    """As a worker does."""
    now = context.now()
    context.repository.events.archive([event.moved(state, now, f"It is {state}")], now)
    context.repository.queues.withdraw([event.id])


def test_each_instant_stands_beside_its_entry(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    finish(context, live(context, schedule)[0])
    finish(context, live(context, schedule)[0], EventState.ERROR)
    clock.advance(3 * MINUTE)
    made = report(context, schedule)
    assert (made.start, made.end, made.instants) == (NOON - HOUR, after(180), 3)
    assert made.outcomes == {"completed": 1, "error": 1, "ready_queue": 1}
    assert made.complete
    found = rows(context, schedule)
    assert [(row.run_time, row.outcome, row.reason) for row in found[:2]] == [
        (NOON, "completed", "It is completed"),
        (after(60), "error", "It is error"),
    ]
    assert found[0].event is not None


def test_what_is_to_come_is_not_asked_for(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    clock.advance(MINUTE)
    made = audit.report(context, schedule.id, NOON + HOUR, NOON + 2 * HOUR)
    assert (made.instants, made.complete) == (0, True)
    assert report(context, schedule).instants == 1


@pytest.mark.parametrize("length", [timedelta(0), -HOUR])
def test_an_empty_range_is_refused(context: Context, length: timedelta) -> None:
    with pytest.raises(InvalidInput, match="earlier than to"):
        audit.report(context, make(context).id, NOON, NOON + length)


def test_an_instant_without_entry_is_missing(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    lost = live(context, schedule)[2]
    context.repository.events.discard([lost.id])
    clock.advance(5 * MINUTE)
    made = report(context, schedule)
    assert (made.missing, made.missing_count, made.complete) == ([lost.run_time], 1, False)
    (row,) = [row for row in rows(context, schedule) if row.absence]
    assert (row.outcome, row.reason) == ("missing", "The ledger has no entry")


def test_what_no_prequeuer_has_come_up_to_is_missing_and_says_so(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    clock.advance(12 * MINUTE)
    reasons = {row.reason for row in rows(context, schedule) if row.absence}
    assert report(context, schedule).missing == minutes(10, 11)
    assert reasons == {"Not queued yet: no prequeuer has come up to it"}
    prequeue(context)
    assert report(context, schedule).complete


def test_a_skipped_run_accounts_for_all_its_instants(context: Context, clock: FakeClock) -> None:
    schedule = make(context, misfire={"policy": "skip"})
    clock.advance(40 * MINUTE)
    prequeue(context)
    made = report(context, schedule)
    assert made.complete
    assert made.outcomes["skipped"] > 20
    later = audit.report(context, schedule.id, after(60 * 20), after(60 * 25))
    assert later.outcomes == {"skipped": 5}


def test_before_the_creation_nothing_is_missed(context: Context, clock: FakeClock) -> None:
    schedule = make(context, "DTSTART:20260302T110000Z\nRRULE:FREQ=MINUTELY;INTERVAL=30")
    made = report(context, schedule)
    assert made.outcomes == {Absence.BEFORE_CREATION: 2}
    assert made.complete


def test_a_pause_is_told_while_it_lasts_and_recorded_after_it(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    clock.advance(2 * MINUTE)
    changes.pause(context, schedule.id)
    clock.advance(20 * MINUTE)
    made = report(context, schedule)
    assert made.complete
    assert made.outcomes == {"superseded": 10, "paused": 12}
    changes.resume(context, schedule.id)
    made = report(context, schedule)
    assert made.complete
    assert Absence.PAUSED not in made.outcomes


def test_an_older_rule_is_told_and_its_entries_are_extra(context: Context, clock: FakeClock) -> None:
    schedule = make(context, "FREQ=MINUTELY;INTERVAL=2")
    clock.advance(5 * MINUTE)
    changes.update(
        context, schedule.id, {"rrule": "DTSTART:20260302T120100Z\nRRULE:FREQ=MINUTELY;INTERVAL=2"}
    )
    clock.advance(4 * MINUTE)
    found = rows(context, schedule)
    assert [(row.outcome, row.extra) for row in found[1:5:2]] == [("older_rule", False)] * 2
    assert found[0].reason.startswith("Of an older rule (revision 1)")
    made = report(context, schedule)
    assert made.rule_since == after(300)
    assert made.complete
    assert sum(made.extra.values()) >= 3


def test_runs_by_hand_are_extra(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    clock.advance(timedelta(seconds=30))
    events.trigger(context, schedule.id)
    clock.advance(MINUTE)
    made = report(context, schedule)
    assert (made.instants, made.extra) == (2, {"ready_queue": 1})
    assert [row.reason for row in rows(context, schedule) if row.extra] == [
        "Triggered by hand: Triggered by hand"
    ]


def test_a_run_by_hand_at_an_instant_does_not_stand_in_for_it(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    context.repository.events.discard([live(context, schedule)[0].id])
    events.trigger(context, schedule.id)
    clock.advance(timedelta(seconds=30))
    made = report(context, schedule)
    assert (made.missing, made.extra) == ([NOON], {"ready_queue": 1})


def test_an_event_that_was_answered_with_success_twice_is_counted(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    event = live(context, schedule)[0]
    twice = (Attempt(time=NOON, duration_ms=1.0, status_code=200),) * 2
    finish(context, structs.replace(event, attempts=twice))
    clock.advance(MINUTE)
    made = report(context, schedule)
    assert (made.doubled, made.doubled_count) == ([event.id], 1)


def test_what_history_no_longer_keeps_is_not_accused(context: Context, clock: FakeClock) -> None:
    schedule = make(context, "FREQ=DAILY")
    settings = replace(context.settings, history=replace(context.settings.history, keep_days=2))
    clock.advance(timedelta(days=4, hours=1))
    made = audit.report(replace(context, settings=settings), schedule.id, NOON, context.now())
    assert made.outcomes["purged"] == 2
    assert made.outcomes["missing"] == 2


def test_a_cancelled_instant_has_its_reason(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    events.cancel(context, live(context, schedule)[1].id)
    clock.advance(2 * MINUTE)
    assert [row.reason for row in rows(context, schedule)][1] == "Cancelled by hand"


def test_reading_in_parts_of_any_size_makes_no_difference(
    context: Context, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = make(context)
    clock.advance(9 * MINUTE)
    whole = rows(context, schedule)
    for size in (1, 2, 3):
        monkeypatch.setattr(audit, "EVENTS_PER_READ", size)
        assert rows(context, schedule) == whole


def test_the_views_have_what_the_report_has(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    context.repository.events.discard([live(context, schedule)[1].id])
    clock.advance(2 * MINUTE)
    made = audit.report_view(report(context, schedule))
    assert made["outcomes"] == {"missing": 1, "ready_queue": 1}
    assert (made["missing"], made["instants"], made["to"]) == (1, 2, "2026-03-02T12:02:00Z")
    first, second = map(audit.row_view, rows(context, schedule))
    assert (first["outcome"], first["kind"], first["attempts"]) == ("ready_queue", "scheduled", 0)
    assert (second["outcome"], second["event_id"]) == ("missing", None)
