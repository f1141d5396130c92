"""A schedule whose calls keep failing is paused, with the reason."""

from datetime import timedelta

from rrcli.core.models import Attempt, EventState, Schedule, ScheduleState
from rrcli.operations import changes, schedules
from rrcli.operations.auto_pause import pause_after_failures
from rrcli.operations.context import Context
from tests.operations.standing import live, make, stored
from tests.support.clock import FakeClock

OK, FAILED, SKIPPED = EventState.COMPLETED, EventState.ERROR, EventState.SKIPPED


def end(context: Context, schedule: Schedule, *states: EventState) -> None:
    """End the next waiting events like that, as a worker does."""
    now, ended = context.now(), []
    for event, state in zip(live(context, schedule), states, strict=False):
        attempt = Attempt(time=now, duration_ms=1, status_code=500 if state is FAILED else 200)
        ended.append(event.moved(state, now, "as the test says", attempts=(attempt,)))
    context.repository.queues.withdraw([event.id for event in ended])
    context.repository.events.archive(ended, now)
    pause_after_failures(context, schedule.id)


def test_it_pauses_after_so_many_failures_in_a_row(context: Context) -> None:
    schedule = make(context, auto_pause_after=3)
    end(context, schedule, FAILED, FAILED)
    assert stored(context, schedule).state is ScheduleState.ACTIVE
    end(context, schedule, FAILED)
    paused = stored(context, schedule)
    assert (paused.state, paused.state_reason) == (
        ScheduleState.PAUSED,
        "3 failures in a row, last: HTTP 500",
    )
    assert live(context, schedule) == []


def test_a_success_in_between_begins_the_row_anew_and_a_skip_does_not(context: Context) -> None:
    schedule = make(context, auto_pause_after=2)
    end(context, schedule, FAILED, OK, FAILED)
    assert stored(context, schedule).state is ScheduleState.ACTIVE
    end(context, schedule, SKIPPED, FAILED)
    assert stored(context, schedule).state is ScheduleState.PAUSED


def test_a_resume_begins_the_row_anew(context: Context, clock: FakeClock) -> None:
    schedule = make(context, auto_pause_after=2)
    end(context, schedule, FAILED, FAILED)
    clock.advance(timedelta(seconds=1))
    changes.resume(context, schedule.id)
    pause_after_failures(context, schedule.id)
    assert stored(context, schedule).state is ScheduleState.ACTIVE
    end(context, schedule, FAILED)
    assert stored(context, schedule).state is ScheduleState.ACTIVE
    end(context, schedule, FAILED)
    assert stored(context, schedule).state is ScheduleState.PAUSED


def test_zero_never_pauses_and_what_is_gone_raises_nothing(context: Context) -> None:
    schedule = make(context)
    end(context, schedule, *[FAILED] * 10)
    assert stored(context, schedule).state is ScheduleState.ACTIVE
    schedules.delete(context, schedule.id)
    pause_after_failures(context, schedule.id)


def test_several_workers_pause_it_once(context: Context) -> None:
    schedule = make(context, auto_pause_after=1)
    end(context, schedule, FAILED)
    paused = stored(context, schedule)
    pause_after_failures(context, schedule.id)
    assert stored(context, schedule) == paused
    assert paused.state_reason == "1 failure, last: HTTP 500"
