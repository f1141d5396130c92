"""The story of an event, and of an instant without one."""

from dataclasses import replace
from datetime import datetime, timedelta

from msgspec import structs

from rrcli.core.models import Attempt, Event, EventState, Schedule
from rrcli.operations import changes, events, replay, why
from rrcli.operations.context import Context
from rrcli.operations.why import Story
from tests.operations.standing import NOON, after, live, make, on_one_store, prequeue, stored
from tests.support.clock import FakeClock

pytestmark = on_one_store
MINUTE = timedelta(minutes=1)


def sentences(story: Story) -> str:
    return "\n".join(step.sentence for step in story.steps)


def told(context: Context, event: Event) -> str:
    return sentences(why.why(context, events.get(context, event.id)))


def told_at(context: Context, schedule: Schedule, instant: datetime) -> str:
    return sentences(why.why_at(context, stored(context, schedule), instant))


def failed(context: Context, event: Event) -> Event:
    attempt = Attempt(time=after(1), duration_ms=30.0, status_code=500)
    tried = structs.replace(event, attempts=(attempt,), lateness_ms=250.0)
    ended = tried.moved(EventState.ERROR, after(2), "HTTP 500: gave up after 1 attempts")
    context.repository.events.archive([ended], after(2))
    context.repository.queues.withdraw([event.id])
    return ended


def test_the_story_of_a_failure_is_told_in_order(context: Context, clock: FakeClock) -> None:
    event = live(context, make(context, "FREQ=MINUTELY", name="report"))[0]
    assert told(context, event).splitlines() == [
        "report runs every minute, UTC.",
        "2026-03-02T12:00:00Z is an occurrence of that rule.",
        "Queued: Event pre-queued for ready queue.",
        "It has been due since 2026-03-02T12:00:00Z: next a dispatcher hands it to the workers.",
    ]
    context.repository.events.dispatched([event.id], NOON, due_by=event.due)
    assert "calls it, or is calling it now" in told(context, event)
    failed(context, events.get(context, event.id))
    assert told(context, event).splitlines()[3:] == [
        "Dispatched: Due; handed to the workers.",
        "Attempt 1 began 2026-03-02T12:00:01Z, 0.250 s after it was due, and took 30 ms: HTTP 500.",
        "Failed for good: HTTP 500: gave up after 1 attempts.",
        f"Nothing more will happen. To call it again: rrcli events replay {event.id}",
    ]


def test_a_waiting_retry_says_when(context: Context) -> None:
    event = live(context, make(context))[0]
    attempt = Attempt(time=NOON, duration_ms=5.0, error="timed out")
    tried = structs.replace(event, attempts=(attempt,))
    context.repository.events.save([tried.moved(EventState.RETRY, after(1), "Again", due=after(60))])
    assert "Next is attempt 2, due 2026-03-02T12:01:00Z." in told(context, event)


def test_what_a_person_asked_for_says_so(context: Context) -> None:
    schedule = make(context)
    assert "A person triggered it" in told(context, events.trigger(context, schedule.id))
    original = failed(context, live(context, schedule)[0])
    again = replay.replay(context, original.id).event
    assert f"asked to repeat {original.id}" in told(context, again)
    assert f"receivers see the webhook-id {original.id}" in told(context, again)
    other = replay.replay(context, original.id, new_id=True).event
    assert "a webhook-id of its own" in told(context, other)
    current = stored(context, schedule)
    context.repository.events.discard([live(context, schedule)[-1].id])
    lost = after(9 * 60)
    tally, planned = replay.plan(replace(context, clock=FakeClock(after(599))), current, lost, after(599))
    list(replay.enter(context, current, planned))
    assert tally.planned == 1
    assert "A person asked for the call for 2026-03-02T12:09:00Z after all" in told_at(
        context, schedule, lost
    )


def test_an_event_of_an_older_rule_is_not_measured_by_the_new_one(context: Context, clock: FakeClock) -> None:
    schedule = make(context)
    first, *_, last = live(context, schedule)
    failed(context, first)
    clock.advance(MINUTE)
    changes.update(context, schedule.id, {"rrule": "DTSTART:20260302T120030Z\nRRULE:FREQ=MINUTELY"})
    assert "was an occurrence of revision 1; the rule is the present one since" in told(context, first)
    assert "is no occurrence of that rule; it was of revision 1" in told(context, last)
    assert "Superseded" in told(context, last)


def test_a_deleted_schedule_is_said(context: Context) -> None:
    schedule = make(context)
    event = live(context, schedule)[0]
    context.repository.schedules.remove(schedule.id)
    assert "Its schedule was deleted." in told(context, event)


def test_an_instant_that_is_no_occurrence_names_its_neighbours(context: Context) -> None:
    schedule = make(context, "FREQ=HOURLY")
    assert told_at(context, schedule, after(600)).splitlines()[1:] == [
        "2026-03-02T12:10:00Z is no occurrence of that rule, and nothing was asked for then.",
        "The one before is 2026-03-02T12:00:00Z.",
        "The one after is 2026-03-02T13:00:00Z.",
    ]


def test_an_instant_that_is_too_far_ahead_says_when_it_is_queued(context: Context) -> None:
    schedule = make(context, "FREQ=HOURLY")
    assert told_at(context, schedule, after(3600)).endswith(
        "It has no event yet: events are queued 10 minutes ahead, this one at 2026-03-02T12:50:00Z."
    )


def test_an_instant_with_an_event_tells_its_story(context: Context, clock: FakeClock) -> None:
    schedule = make(context, misfire={"policy": "skip"})
    assert "Queued" in told_at(context, schedule, after(60))
    clock.advance(40 * MINUTE)
    prequeue(context)
    assert "It stands for" in told_at(context, schedule, after(20 * 60))


def test_pauses_creation_and_losses_are_told(context: Context, clock: FakeClock) -> None:
    schedule = make(context, "DTSTART:20260302T110000Z\nRRULE:FREQ=MINUTELY;INTERVAL=30")
    assert "the schedule was created" in told_at(context, schedule, after(-1800))
    context.repository.events.discard([live(context, schedule)[0].id])
    clock.advance(MINUTE)
    assert "the ledger has no entry" in told_at(context, schedule, NOON)
    changes.pause(context, schedule.id)
    assert "the schedule is paused" in told_at(context, schedule, after(3600)) or "paused since" in told_at(
        context, schedule, after(3600)
    )


def test_the_view_has_every_sentence(context: Context) -> None:
    event = live(context, make(context))[0]
    view = why.story_view(why.why(context, event))
    assert (view["event_id"], view["state"]) == (event.id, "ready_queue")
    assert view["story"][2] == {  # type: ignore[index]
        "time": "2026-03-02T12:00:00Z",
        "sentence": "Queued: Event pre-queued for ready queue.",
    }
