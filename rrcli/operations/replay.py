"""Calling again: one event, or what a schedule's rule has in a range, joined with the ledger.

Ids are made from what is repeated, so the same replay twice enters once; `force` adds random digits to them.
Ledger first, queue second: what a crash leaves behind the reconciler queues.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from rrcli.core.exclusions import Exclusions
from rrcli.core.ids import Seed, occurrence_id
from rrcli.core.models import Event, EventState, Kind, Schedule, ScheduleState, Status
from rrcli.core.timefmt import format_instant
from rrcli.errors import Conflict
from rrcli.operations import events, schedules
from rrcli.operations.audit import Absence, Row, join, require_range
from rrcli.operations.context import Context
from rrcli.repository.base import QueueEntry

EVENTS_PER_WRITE = 500
REQUEST_LIMIT = 10_000
"""Events that one request over the network may enter."""

INSTANTS_PER_REQUEST = 50_000
"""Instants that one request over the network looks at."""

SLOWEST, FASTEST = 1 / 3600, 100_000.0
"""Bounds of a rate, in events a second."""

_CALLED = frozenset({EventState.COMPLETED, EventState.ERROR, EventState.CANCELLED})


class Only(StrEnum):
    """Which instants are repeated.

    `failed`: those that ended as error. `missed`: those that nobody was called for, though the rule has them
    and neither a person nor a holiday took them out: without an entry, skipped, or superseded by a pause.
    `all`: these, and what was completed, cancelled or taken out, what lies before the creation, and what an
    older rule did not have. What is waiting or being called is never repeated.
    """

    FAILED = "failed"
    MISSED = "missed"
    ALL = "all"


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """The event that repeats another; `is_new` is false when the same replay had entered it before."""

    event: Event
    is_new: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """One event that a replay would enter; `outcome` is how the instant stands now."""

    event_id: str
    run_time: datetime
    kind: Kind
    outcome: str
    replay_of: str | None
    webhook_id: str


@dataclass(kw_only=True, slots=True)
class Tally:
    """What a replay has looked at so far.

    `already` were entered by an earlier replay, `under_way` will be called anyway, `left` were not asked for.
    `next_from` is where to go on when a bound ended it; None at the end of the range.
    """

    instants: int = 0
    planned: int = 0
    already: int = 0
    under_way: int = 0
    left: int = 0
    next_from: datetime | None = None


def replay(
    context: Context,
    event_id: str,
    *,
    new_id: bool = False,
    force: bool = False,
    seed: Seed | None = None,
) -> Replayed:
    """Make the call of an event that has ended again, at once, as the schedule is now.

    Receivers see the same `webhook-id` unless `new_id`. With the `seed` of an earlier try, even `force` makes
    no second event. Raises NotFound, and Conflict when the event has not
    ended or stands for several occurrences.
    """
    source = events.get(context, event_id)
    _require_single_and_ended(source)
    schedule = schedules.get(context, source.schedule_id)
    nonce = source.id + ("|new" if new_id else "") + (_once(context, seed) if force else "")
    made_id = occurrence_id(schedule.id, source.run_time, Kind.REPLAY, nonce)
    if known := context.repository.events.find(made_id):
        if known.state is EventState.READY:  # an earlier try may have broken off before this
            context.repository.queues.add([QueueEntry(event_id=known.id, due=known.due)])
        return Replayed(event=known, is_new=False)
    planned = Planned(
        event_id=made_id,
        run_time=source.run_time,
        kind=Kind.REPLAY,
        outcome=str(source.state),
        replay_of=source.id,
        webhook_id=made_id if new_id else source.message_id,
    )
    now = context.now()
    event = _event(schedule, planned, due=now, now=now)
    _enter(context, [event])
    return Replayed(event=event, is_new=True)


def _require_single_and_ended(event: Event) -> None:
    if not event.state.final:
        raise Conflict(f"Event {event.id} has not ended yet: it is in state {event.state}.")
    if event.span:
        first, last = format_instant(event.span.first), format_instant(event.span.last)
        raise Conflict(
            f"Event {event.id} stands for {event.span.count} occurrences, from {first} to {last}.",
            hint=f"rrcli schedule replay {event.schedule_id} --from {first} --to ... --only missed",
        )


def plan(
    context: Context,
    schedule: Schedule,
    start: datetime,
    end: datetime,
    *,
    only: Only = Only.ALL,
    force: bool = False,
    most: int | None = None,
    most_instants: int | None = None,
    seed: Seed | None = None,
) -> tuple[Tally, Iterator[Planned]]:
    """A tally, and lazily what is to be entered for [start, end); the tally grows while that is read.

    At most `most` events and `most_instants` instants; `next_from` of the tally then says where to go on.
    `seed` is what `replay` takes it for. Raises InvalidInput when the range is empty, and InvalidRule.
    """
    require_range(start, end)
    now = context.now()
    tally = Tally()
    rows = join(context, schedule, start, max(start, min(end, now)), now)
    exclusions = context.exclusions([schedule])[schedule.id]
    once = _once(context, seed) if force else None
    return tally, _chosen(schedule, exclusions, rows, tally, only, once, most, most_instants)


def _chosen(
    schedule: Schedule,
    exclusions: Exclusions,
    rows: Iterable[Row],
    tally: Tally,
    only: Only,
    once: str | None,
    most: int | None,
    most_instants: int | None,
) -> Iterator[Planned]:
    for row in rows:
        if row.extra:
            continue
        if tally.planned == most or tally.instants == most_instants:
            tally.next_from = row.run_time
            return
        tally.instants += 1
        if _is_under_way(schedule, row):
            tally.under_way += 1
        elif not _is_asked_for(row, only, exclusions):
            tally.left += 1
        elif once is None and _is_repeated(row, only):
            tally.already += 1
        else:
            tally.planned += 1
            yield _planned(schedule, row, once or "")


def _is_under_way(schedule: Schedule, row: Row) -> bool:
    """Whether it will be called without our doing: it is queued, or a prequeuer will come up to it."""
    if row.events:
        return any(not event.state.final for event in row.events)
    return (
        row.absence is Absence.MISSING
        and schedule.state is ScheduleState.ACTIVE
        and schedule.next_run is not None
        and row.run_time >= schedule.next_run
    )


_MISSED = frozenset({Absence.MISSING, Absence.PAUSED, EventState.SKIPPED, EventState.SUPERSEDED})


def _is_asked_for(row: Row, only: Only, exclusions: Exclusions) -> bool:
    if only is Only.FAILED:
        return row.outcome == EventState.ERROR
    return only is Only.ALL or (row.outcome in _MISSED and not _is_taken_out(row, exclusions))


def _is_taken_out(row: Row, exclusions: Exclusions) -> bool:
    """Whether a person or a calendar has taken the instant out; a skip that is past may be forgotten."""
    event = row.event
    ahead = event is not None and event.state is EventState.SKIPPED and event.status[-1].time < row.run_time
    return ahead or exclusions.at(row.run_time) is not None


def _is_repeated(row: Row, only: Only) -> bool:
    """Whether the same replay has been there: then its events are in the ledger, however they ended.

    A backfill that failed may be repeated once as a failure.
    """
    kinds = {event.kind for event in row.events}
    return Kind.REPLAY in kinds or (Kind.BACKFILL in kinds and only is not Only.FAILED)


def _planned(schedule: Schedule, row: Row, once: str) -> Planned:
    source = _source(row)
    kind = Kind.REPLAY if source else Kind.BACKFILL
    nonce = (source.id if source else "") + once
    return Planned(
        event_id=occurrence_id(schedule.id, row.run_time, kind, nonce),
        run_time=row.run_time,
        kind=kind,
        outcome=row.outcome,
        replay_of=source.id if source else None,
        webhook_id=source.message_id if source else occurrence_id(schedule.id, row.run_time),
    )


def _source(row: Row) -> Event | None:
    """The event that is repeated: of the rule if it was called, else the first that a person asked for."""
    called = [event for event in row.events if event.state in _CALLED]
    return min(called, key=lambda event: (event.kind is not Kind.SCHEDULED, event.id), default=None)


def enter(
    context: Context,
    schedule: Schedule,
    planned: Iterable[Planned],
    *,
    per_second: float | None = None,
    calls_before: int = 0,
) -> Iterator[int]:
    """Enter what is planned, in batches, as the result is read: how many each batch had.

    With `per_second` the events become due one after the other at that rate, after `calls_before` others of
    the same replay; else all at once.
    """
    start, number = context.now(), calls_before
    rest = iter(planned)
    while batch := list(islice(rest, EVENTS_PER_WRITE)):
        now = context.now()
        made = []
        for each in batch:
            due = start + timedelta(seconds=number / per_second) if per_second else now
            made.append(_event(schedule, each, due=due, now=now))
            number += 1
        _enter(context, made)
        yield len(batch)


def _enter(context: Context, made: list[Event]) -> None:
    waiting = context.repository.events.add(made)
    context.repository.queues.add([QueueEntry(event_id=event.id, due=event.due) for event in waiting])


def _event(schedule: Schedule, planned: Planned, *, due: datetime, now: datetime) -> Event:
    if planned.replay_of:
        message = f"Asked for by hand; repeats {planned.replay_of}"
    else:
        message = f"Asked for by hand; it was {planned.outcome.replace('_', ' ')} until then"
    return Event(
        id=planned.event_id,
        schedule_id=schedule.id,
        run_time=planned.run_time,
        due=due,
        kind=planned.kind,
        revision=schedule.revision,
        status=(Status(time=now, status=EventState.READY, message=message),),
        replay_of=planned.replay_of,
        webhook_id=planned.webhook_id,
        created_at=now,
    )


def _once(context: Context, seed: Seed | None) -> str:
    """What sets a forced replay apart from all others, and not from its own repetition."""
    return f"|{(seed or Seed.random(context.now())).text}"


def planned_view(planned: Planned) -> dict[str, object]:
    """One planned event as JSON."""
    return {
        "event_id": planned.event_id,
        "run_time": format_instant(planned.run_time),
        "kind": planned.kind,
        "outcome": planned.outcome,
        "replay_of": planned.replay_of,
        "webhook_id": planned.webhook_id,
    }


def tally_view(tally: Tally, *, dry_run: bool) -> dict[str, object]:
    """What a replay did, or would do, as JSON."""
    return {
        "dry_run": dry_run,
        "instants": tally.instants,
        "planned": tally.planned,
        "already": tally.already,
        "under_way": tally.under_way,
        "left": tally.left,
        "next_from": tally.next_from and format_instant(tally.next_from),
    }
