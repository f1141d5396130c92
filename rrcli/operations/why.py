"""The story of one event, or of an instant that has none, in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rrcli.core.models import Attempt, Event, EventState, Kind, Schedule, ScheduleState
from rrcli.core.recurrence import Recurrence
from rrcli.core.timefmt import format_instant
from rrcli.errors import InvalidRule, NotFound
from rrcli.operations import audit, schedules, stale
from rrcli.operations.audit import Absence
from rrcli.operations.context import Context
from rrcli.operations.rules import recurrence_of

_NEXT = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One sentence; `time` is when it happened, None where it is about no moment."""

    sentence: str
    time: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """Why something happened, or did not: sentences in the order in which to read them.

    `event` is None for an instant that has none; `schedule` is None when it was deleted.
    """

    run_time: datetime
    event: Event | None
    schedule: Schedule | None
    steps: tuple[Step, ...]


def why(context: Context, event: Event) -> Story:
    """The whole story of one event."""
    schedule = _schedule(context, event.schedule_id)
    now = context.now()
    steps = [*_origin(schedule, event), *_course(event), *_outlook(context, schedule, event, now)]
    return Story(run_time=event.run_time, event=event, schedule=schedule, steps=tuple(steps))


def why_at(context: Context, schedule: Schedule, instant: datetime) -> Story:
    """Why the instant has the event that it has, or why it has none. Raises InvalidRule."""
    now = context.now()
    for row in audit.join(context, schedule, instant, instant + _NEXT, now):
        if row.event is not None:
            return why(context, row.event)
        steps = [_rule(schedule), *_absence(context, schedule, row, now)]
        return Story(run_time=instant, event=None, schedule=schedule, steps=tuple(steps))
    steps = [_rule(schedule), *_no_occurrence(recurrence_of(schedule), instant)]
    return Story(run_time=instant, event=None, schedule=schedule, steps=tuple(steps))


def _schedule(context: Context, schedule_id: str) -> Schedule | None:
    try:
        return schedules.get(context, schedule_id)
    except NotFound:
        return None


def _rule(schedule: Schedule) -> Step:
    try:
        words = recurrence_of(schedule).describe()
    except InvalidRule as error:
        return Step(sentence=f"The rule of {schedule.name} cannot be read: {error.message}.")
    return Step(sentence=f"{schedule.name} runs {words}.")


def _origin(schedule: Schedule | None, event: Event) -> Iterator[Step]:
    """What the event comes from: the rule, or a person."""
    if schedule is None:
        yield Step(sentence="Its schedule was deleted.")
    else:
        yield _rule(schedule)
    at = format_instant(event.run_time)
    match event.kind:
        case Kind.MANUAL:
            yield Step(sentence=f"A person triggered it at {at}, whatever the rule says.")
        case Kind.REPLAY:
            yield Step(
                sentence=f"A person asked to repeat {event.replay_of}, the call for {at}; {_known_as(event)}."
            )
        case Kind.BACKFILL:
            yield Step(sentence=f"A person asked for the call for {at} after all; {_known_as(event)}.")
        case Kind.SCHEDULED:
            yield Step(sentence=_occurrence(schedule, event))
    if event.span:
        last = format_instant(event.span.last)
        yield Step(sentence=f"It stands for {event.span.count:,} occurrences, up to {last}.")


def _known_as(event: Event) -> str:
    if event.message_id == event.id:
        return "receivers see a webhook-id of its own"
    return f"receivers see the webhook-id {event.message_id}, as of the first"


def _occurrence(schedule: Schedule | None, event: Event) -> str:
    """Whether the rule has it, as far as that can be said of a rule that may have changed."""
    at = format_instant(event.run_time)
    if schedule is None:
        return f"It was the occurrence at {at}."
    if event.run_time < audit.rule_since(schedule):
        since = format_instant(audit.rule_since(schedule))
        return (
            f"{at} was an occurrence of revision {event.revision}; the rule is the present one since {since}."
        )
    try:
        found = recurrence_of(schedule).after(event.run_time, inclusive=True)
    except InvalidRule:
        return f"It was made for {at} at revision {event.revision}."
    if found == event.run_time:
        return f"{at} is an occurrence of that rule."
    return f"{at} is no occurrence of that rule; it was of revision {event.revision}."


def _course(event: Event) -> Iterator[Step]:
    """Every status and every attempt, in the order in which they happened."""
    statuses = [(step.time, 1, f"{_VERBS[step.status]}: {step.message}") for step in event.status]
    attempts = [
        (_ended(each), 0, _attempt(event, number, each)) for number, each in enumerate(event.attempts, 1)
    ]
    for time, _, sentence in sorted([*statuses, *attempts], key=lambda each: each[:2]):
        yield Step(time=time, sentence=sentence.removesuffix(".") + ".")


_VERBS = {
    EventState.READY: "Queued",
    EventState.WORKER: "Dispatched",
    EventState.RETRY: "Waits for the next attempt",
    EventState.COMPLETED: "Completed",
    EventState.ERROR: "Failed for good",
    EventState.SKIPPED: "Skipped",
    EventState.SUPERSEDED: "Superseded",
    EventState.CANCELLED: "Cancelled",
}


def _ended(attempt: Attempt) -> datetime:
    return attempt.time + timedelta(milliseconds=attempt.duration_ms)


def _attempt(event: Event, number: int, attempt: Attempt) -> str:
    answer = attempt.error or f"HTTP {attempt.status_code}"
    late = ""
    if number == 1 and event.lateness_ms is not None:
        late = f", {max(event.lateness_ms, 0) / 1000:.3f} s after it was due,"
    began = f"Attempt {number} began {format_instant(attempt.time)}{late}"
    return f"{began} and took {attempt.duration_ms:.0f} ms: {answer}"


def _outlook(context: Context, schedule: Schedule | None, event: Event, now: datetime) -> Iterator[Step]:
    """What happens next, or what a person can do."""
    due = format_instant(event.due)
    if event.state.final:
        if event.state is not EventState.COMPLETED and schedule is not None and not event.span:
            yield Step(sentence=f"Nothing more will happen. To call it again: rrcli events replay {event.id}")
        return
    if schedule is not None and not stale.may_fire(schedule, event):
        yield Step(sentence="The schedule was changed since: a worker will end it as superseded.")
    elif event.state is EventState.WORKER:
        yield Step(sentence="Next a worker calls it, or is calling it now.")
    elif event.due > now:
        number = len(event.attempts) + 1
        yield Step(sentence=f"Next is attempt {number}, due {due}.")
    else:
        yield Step(sentence=f"It has been due since {due}: next a dispatcher hands it to the workers.")


def _absence(context: Context, schedule: Schedule, row: audit.Row, now: datetime) -> Iterator[Step]:
    """Why an instant of the rule has no event."""
    at = format_instant(row.run_time)
    yield Step(sentence=f"{at} is an occurrence of that rule.")
    if row.run_time < now or row.absence is not Absence.MISSING:
        yield Step(sentence=f"It has no event: {row.reason[0].lower()}{row.reason[1:]}.")
    elif schedule.state is not ScheduleState.ACTIVE:
        yield Step(sentence=f"It has no event: the schedule is {schedule.state}.")
    elif excluded := context.exclusions([schedule])[schedule.id].at(row.run_time):
        yield Step(sentence=f"It is taken out. {excluded.reason}.")
    else:
        minutes = context.settings.prequeuer.event_timeframe_minutes
        from_ = format_instant(row.run_time - context.window)
        yield Step(
            sentence=f"It has no event yet: events are queued {minutes} minutes ahead, this one at {from_}."
        )


def _no_occurrence(recurrence: Recurrence, instant: datetime) -> Iterator[Step]:
    """That the rule has no such instant, and what it has around it."""
    yield Step(
        sentence=f"{format_instant(instant)} is no occurrence of that rule, and nothing was asked for then."
    )
    before, after = recurrence.before(instant), recurrence.after(instant)
    if before:
        yield Step(sentence=f"The one before is {format_instant(before)}.")
    if after:
        yield Step(sentence=f"The one after is {format_instant(after)}.")


def story_view(story: Story) -> dict[str, object]:
    """A story as JSON."""
    return {
        "run_time": format_instant(story.run_time),
        "event_id": story.event and story.event.id,
        "schedule_id": story.schedule and story.schedule.id,
        "state": story.event and story.event.state,
        "story": [
            {"time": step.time and format_instant(step.time), "sentence": step.sentence}
            for step in story.steps
        ],
    }
