"""Queueing a window: the occurrences of due schedules enter the ledger, then the queue, then watermarks move.

In that order a crash between any two steps is repaired by doing it again: the ledger refuses what it has,
the queue refuses what stands in it, and a watermark that was not moved only makes the step run once more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby

from rrcli.core.exclusions import Exclusions, latest_allowed
from rrcli.core.ids import occurrence_id
from rrcli.core.models import Event, EventState, Schedule, ScheduleState, Span, Status, Timed
from rrcli.core.policies import is_late, jitter, sort_by_misfire, span_of
from rrcli.operations.context import Context
from rrcli.operations.rules import recurrence_of
from rrcli.repository.base import Advance, QueueEntry

OCCURRENCES_PER_PASS = 10_000
"""Occurrences taken in one pass of one schedule that is behind: what is skipped becomes few, long entries."""

EVENTS_PER_PASS = 2000
"""Occurrences of all schedules together that one pass aims at: what is written at once."""

LEAST_SHARE = 20
"""Occurrences that a schedule takes at least, if it has them: to read it again costs as much as a few."""


_LATE = "; misfire policy "


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """What one pass did: `schedules` were looked at, `unfinished` ones have more inside the window.

    Of the `skipped` occurrences `excluded` were taken out by hand or by a calendar; the others came up late.
    `overtaken` schedules were changed or deleted meanwhile, or another prequeuer was quicker.
    """

    queued: int = 0
    skipped: int = 0
    excluded: int = 0
    schedules: int = 0
    unfinished: int = 0
    overtaken: int = 0


def together(parts: Iterable[Filled]) -> Filled:
    """What several passes did."""
    done = tuple(parts)
    return Filled(**{name: sum(getattr(each, name) for each in done) for name in Filled.__slots__})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    events: tuple[Event, ...]
    skips: tuple[Event, ...]
    advance: Advance
    unfinished: bool


def queue_window(
    context: Context, schedules: Sequence[Timed], now: datetime, *, most_events: int | None = None
) -> Filled:
    """Queue occurrences of `schedules` from their watermarks towards the end of the window.

    All schedules advance side by side: many dense ones share what a pass takes, so that none is late because
    another is queued far ahead. With `most_events`, those that are not reached count as unfinished.
    """
    waiting = [schedule for schedule in schedules if schedule.next_run is not None]
    plans = _plans(context, waiting, now, most_events)
    repository = context.repository
    skips = [event for plan in plans for event in plan.skips]
    if skips:
        repository.events.record_skips(skips, now)
    events = [event for plan in plans for event in plan.events]
    entered = repository.events.add(events) if events else []
    if entered:
        repository.queues.add([QueueEntry(event_id=event.id, due=event.due) for event in entered])
    moved = repository.schedules.advance([plan.advance for plan in plans])
    return Filled(
        queued=len(entered),
        skipped=sum(map(_occurrences, skips)),
        excluded=sum(_occurrences(event) for event in skips if _LATE not in event.status[-1].message),
        schedules=len(plans),
        unfinished=sum(plan.unfinished for plan in plans) + len(waiting) - len(plans),
        overtaken=len(plans) - moved,
    )


def queue_now(context: Context, schedule: Schedule, now: datetime) -> None:
    """Queue the current window at once, so that an occurrence in two seconds fires on time."""
    if (
        schedule.state is ScheduleState.ACTIVE
        and schedule.next_run
        and schedule.next_run < now + context.window
    ):
        queue_window(context, [schedule], now)


def _plans(
    context: Context, schedules: Sequence[Timed], now: datetime, most_events: int | None
) -> list[_Plan]:
    """What the schedules need, in order, until there is enough for one pass."""
    excluded = context.exclusions(schedules)
    horizon = now + context.window
    share = max(LEAST_SHARE, EVENTS_PER_PASS // max(len(schedules), 1))
    plans: list[_Plan] = []
    planned = 0
    for schedule in schedules:
        if most_events is not None and planned >= most_events:
            break
        plan = _plan(schedule, excluded[schedule.id], now, horizon, share)
        plans.append(plan)
        planned += len(plan.events) + len(plan.skips)
    return plans


def _plan(schedule: Timed, exclusions: Exclusions, now: datetime, horizon: datetime, share: int) -> _Plan:
    """What one schedule needs, `share` occurrences of it unless it is behind; touches nothing."""
    assert schedule.next_run is not None
    behind = is_late(schedule.next_run, schedule.misfire, now=now)
    most = OCCURRENCES_PER_PASS if behind else share
    found, watermark = recurrence_of(schedule).stretch(schedule.next_run, horizon, most)
    fire: Sequence[datetime] = found
    skips: Sequence[Event] = ()
    if behind or exclusions:
        fire, skips = _divided(schedule, exclusions, found, now)
    return _Plan(
        events=tuple([scheduled_event(schedule, run_time, now) for run_time in fire]),
        skips=tuple(skips),
        advance=Advance(schedule_id=schedule.id, rule_revision=schedule.rule_revision, next_run=watermark),
        unfinished=len(found) == most,
    )


def _divided(
    schedule: Timed, exclusions: Exclusions, found: Sequence[datetime], now: datetime
) -> tuple[list[datetime], list[Event]]:
    """The occurrences that fire, and the entries of those that do not."""
    comes_late = bool(found) and is_late(found[0], schedule.misfire, now=now)
    latest_due = latest_due_of(schedule, exclusions, now) if comes_late else None
    fire: list[datetime] = []
    skips: list[Event] = []
    for reason, run in groupby(found, key=lambda run_time: _reason(exclusions, run_time)):
        if reason is None:
            division = sort_by_misfire(schedule, tuple(run), now=now, latest_due=latest_due)
            fire += division.fire
            skips += [
                skipped_event(schedule, span, now, too_late(schedule, span.count))
                for span in division.skipped
            ]
        else:
            skips += _excluded_events(schedule, tuple(run), now, reason)
    return fire, skips


def _reason(exclusions: Exclusions, run_time: datetime) -> str | None:
    excluded = exclusions.at(run_time)
    return excluded.reason if excluded else None


def _excluded_events(schedule: Timed, run: Sequence[datetime], now: datetime, reason: str) -> Iterator[Event]:
    """Entries of occurrences that a person or a calendar took out.

    What lies ahead has an entry each, so that each can be on again; what has passed is one entry.
    """
    passed = [run_time for run_time in run if run_time <= now]
    if passed:
        yield skipped_event(schedule, span_of(passed), now, reason)
    for run_time in run[len(passed) :]:
        yield skipped_event(schedule, span_of([run_time]), now, reason)


def latest_due_of(schedule: Timed, exclusions: Exclusions, now: datetime) -> datetime | None:
    """The newest occurrence that is due and not excluded, as far back as any may still fire."""
    floor = now - timedelta(seconds=schedule.misfire.window_seconds)
    return latest_allowed(recurrence_of(schedule), exclusions, now, floor=floor)


def _occurrences(entry: Event) -> int:
    return entry.span.count if entry.span else 1


def too_late(schedule: Timed, count: int) -> str:
    """Why occurrences that came up late are skipped."""
    misfire = schedule.misfire
    many = f"{count} occurrences" if count > 1 else "Occurrence"
    return (
        f"{many} came up more than {misfire.grace_seconds:g} s late"
        f"{_LATE}{misfire.policy} with a window of {misfire.window_seconds:g} s"
    )


def scheduled_event(schedule: Timed, run_time: datetime, now: datetime) -> Event:
    """A new event for one occurrence, waiting in the ready queue."""
    return Event(
        id=occurrence_id(schedule.id, run_time),
        schedule_id=schedule.id,
        run_time=run_time,
        due=run_time + jitter(schedule.id, run_time, schedule.jitter_seconds),
        revision=schedule.revision,
        status=_queued(now),
        created_at=now,
    )


@lru_cache(maxsize=16)
def _queued(now: datetime) -> tuple[Status, ...]:
    """The first status of an event, one object for all that are queued in a pass."""
    return (Status(time=now, status=EventState.READY, message="Event pre-queued for ready queue"),)


def skipped_event(schedule: Timed, run: Span, now: datetime, message: str) -> Event:
    """The ledger entry of occurrences that will not fire; one entry, under the first one's id."""
    return Event(
        id=occurrence_id(schedule.id, run.first),
        schedule_id=schedule.id,
        run_time=run.first,
        due=run.first,
        revision=schedule.revision,
        status=(Status(time=now, status=EventState.SKIPPED, message=message),),
        span=run if run.count > 1 else None,
        created_at=now,
    )
