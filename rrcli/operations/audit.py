"""The proof of the promise: each nominal instant of a schedule beside its entry in the ledger.

What is read is joined as it comes, in the order of time, so that a month of a minutely schedule needs no more
memory than an hour of it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from rrcli.core.models import Event, EventState, Kind, Schedule, ScheduleState
from rrcli.core.timefmt import format_instant
from rrcli.errors import FieldError, InvalidInput
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.operations.rules import recurrence_of

EVENTS_PER_READ = 1000
ROWS_LIMIT = 10_000
"""Rows that one request over the network may ask for."""

DEFAULT_RANGE = timedelta(days=1)
"""How far back an audit goes that is not told where to begin."""

_NEXT = timedelta(milliseconds=1)
_LISTED = 1000


class Absence(StrEnum):
    """Why an instant has no entry; only the first one accuses."""

    MISSING = "missing"
    BEFORE_CREATION = "before_creation"
    OLDER_RULE = "older_rule"
    PAUSED = "paused"
    PURGED = "purged"


_BEST_FIRST = (
    EventState.COMPLETED,
    EventState.WORKER,
    EventState.RETRY,
    EventState.READY,
    EventState.ERROR,
    EventState.CANCELLED,
    EventState.SKIPPED,
    EventState.SUPERSEDED,
)
_RANK = {state: rank for rank, state in enumerate(_BEST_FIRST)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One instant, and what the ledger says of it.

    `events` are its entries, the one that decides first: what has succeeded comes before what may still
    succeed, and that before what has failed. None of them: `absence` says why. `extra` entries belong to no
    instant of the rule.
    """

    run_time: datetime
    events: tuple[Event, ...] = ()
    absence: Absence | None = None
    extra: bool = False
    reason: str

    @property
    def event(self) -> Event | None:
        """The entry that decides."""
        return self.events[0] if self.events else None

    @property
    def outcome(self) -> str:
        """The state of the deciding entry, or the absence."""
        return str(self.absence or self.events[0].state)

    @property
    def doubled(self) -> bool:
        """Whether one event was answered with success more than once."""
        return any(_successes(event) > 1 for event in self.events)


@dataclass(kw_only=True, slots=True)
class Report:
    """What an audit of [start, end) found; `end` is never in the future.

    `outcomes` counts instants by state or absence, `extra` the entries that belong to no instant by state.
    `missing` and `doubled` list at most the first thousand; `missing_count` and `doubled_count` have all.
    """

    schedule_id: str
    start: datetime
    end: datetime
    rule_since: datetime
    instants: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    missing: list[datetime] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    doubled_count: int = 0

    @property
    def missing_count(self) -> int:
        """Instants that should have an entry and have none."""
        return self.outcomes[Absence.MISSING]

    @property
    def complete(self) -> bool:
        """Whether every instant is accounted for."""
        return not self.missing_count

    def note(self, row: Row) -> None:
        """Count one more row."""
        if row.extra:
            self.extra.update(str(event.state) for event in row.events)
        else:
            self.instants += 1
            self.outcomes[row.outcome] += 1
        if row.absence is Absence.MISSING and len(self.missing) < _LISTED:
            self.missing.append(row.run_time)
        if row.doubled:
            self.doubled_count += 1
            if len(self.doubled) < _LISTED:
                self.doubled += [event.id for event in row.events if _successes(event) > 1]


def report(context: Context, schedule_id: str, start: datetime, end: datetime) -> Report:
    """Audit the instants in [start, end) that are past. Raises NotFound, InvalidInput, InvalidRule."""
    made, found = audit(context, schedules.get(context, schedule_id), start, end)
    for row in found:
        made.note(row)
    return made


def audit(
    context: Context, schedule: Schedule, start: datetime, end: datetime
) -> tuple[Report, Iterator[Row]]:
    """An empty report and the rows to note in it, in the order of time, read as they are asked for.

    Raises InvalidInput when the range is empty, and InvalidRule.
    """
    now = context.now()
    require_range(start, end)
    until = max(start, min(end, now))
    made = Report(schedule_id=schedule.id, start=start, end=until, rule_since=rule_since(schedule))
    return made, join(context, schedule, start, until, now)


def page(
    context: Context, schedule_id: str, start: datetime, end: datetime, *, limit: int
) -> tuple[Report, list[Row], datetime | None]:
    """About the first `limit` rows of an audit, the report of them, and where to go on; None at the end.

    Cut between two run times, so that nothing is counted twice. Raises as `report`.
    """
    made, found = audit(context, schedules.get(context, schedule_id), start, end)
    rows: list[Row] = []
    for row in found:
        if len(rows) >= limit and row.run_time > rows[-1].run_time:
            made.end = row.run_time
            return made, rows, row.run_time
        made.note(row)
        rows.append(row)
    return made, rows, None


def require_range(start: datetime, end: datetime) -> None:
    """Raises InvalidInput unless the range has a length."""
    if end <= start:
        allowed = f"must be earlier than to, {format_instant(end)}, which is now where it is not given"
        raise InvalidInput([FieldError(field="from", value=format_instant(start), allowed=allowed)])


def join(
    context: Context, schedule: Schedule, start: datetime, until: datetime, now: datetime
) -> Iterator[Row]:
    """The rows of [start, until); the later of `until` is not after `now`."""
    instants = iter(recurrence_of(schedule).occurrences(after=start, before=until))
    spans = context.repository.events.covering(schedule.id, start)
    instant = next(instants, None)
    for run_time, entries in _groups(context, schedule.id, start, until):
        while instant is not None and instant < run_time:
            yield _row(context, schedule, instant, (), spans, now)
            instant = next(instants, None)
        spans = [each for each in spans if each.span and each.span.last >= run_time]
        spans += [each for each in entries if each.span]
        if instant == run_time:
            by_hand = tuple(each for each in entries if each.kind is Kind.MANUAL)
            of_rule = [each for each in entries if each.kind is not Kind.MANUAL]
            yield _row(context, schedule, run_time, of_rule, spans, now)
            instant = next(instants, None)
        else:
            by_hand = entries
        if by_hand:
            yield _extra(schedule, run_time, by_hand)
    while instant is not None:
        yield _row(context, schedule, instant, (), spans, now)
        instant = next(instants, None)


def _groups(
    context: Context, schedule_id: str, start: datetime, until: datetime
) -> Iterator[tuple[datetime, tuple[Event, ...]]]:
    """The ledger's entries by run time, each with all that are there."""
    while found := context.repository.events.between(schedule_id, start, until, limit=EVENTS_PER_READ):
        for run_time, entries in groupby(found, key=attrgetter("run_time")):
            yield run_time, tuple(entries)
        start = found[-1].run_time + _NEXT


def _row(
    context: Context,
    schedule: Schedule,
    instant: datetime,
    entries: Sequence[Event],
    spans: Iterable[Event],
    now: datetime,
) -> Row:
    """The row of an instant of the rule."""
    covering = [each for each in spans if each not in entries and _covers(each, instant)]
    found = sorted([*entries, *covering], key=lambda each: _RANK[each.state])
    if found:
        return Row(run_time=instant, events=tuple(found), reason=_story(found))
    absence, reason = _absent(context, schedule, instant, now)
    return Row(run_time=instant, absence=absence, reason=reason)


def _covers(entry: Event, instant: datetime) -> bool:
    return entry.span is not None and entry.span.first <= instant <= entry.span.last


def _story(entries: Sequence[Event]) -> str:
    """What the deciding entry says last, and what the others came to."""
    first, *others = entries
    story = first.status[-1].message
    if first.kind is not Kind.SCHEDULED:
        story = f"By {first.kind}: {story}"
    told = [f"{each.kind} {each.state}: {each.status[-1].message}" for each in others]
    return "; ".join([story, *told])


def _absent(context: Context, schedule: Schedule, instant: datetime, now: datetime) -> tuple[Absence, str]:
    """Why the ledger has nothing of an instant of the present rule."""
    if instant < schedule.created_at:
        return Absence.BEFORE_CREATION, f"The schedule was created {format_instant(schedule.created_at)}"
    since = rule_since(schedule)
    if instant < since:
        return Absence.OLDER_RULE, f"The rule was another one until {format_instant(since)}"
    paused_at = schedule.state_since or schedule.created_at
    if schedule.state is ScheduleState.PAUSED and instant >= paused_at:
        return Absence.PAUSED, f"Paused since {format_instant(paused_at)}; a resume records it as skipped"
    days = context.settings.history.keep_days
    if days and instant < now - timedelta(days=days):
        return Absence.PURGED, f"History is kept for {days} days (history.keep_days)"
    if schedule.next_run is not None and instant >= schedule.next_run:
        return Absence.MISSING, "Not queued yet: no prequeuer has come up to it"
    return Absence.MISSING, "The ledger has no entry"


def rule_since(schedule: Schedule) -> datetime:
    """Since when the present rule counts."""
    return schedule.rule_since or schedule.created_at


def _extra(schedule: Schedule, run_time: datetime, entries: Sequence[Event]) -> Row:
    """Entries at a time that is no instant of the present rule."""
    found = tuple(sorted(entries, key=lambda each: _RANK[each.state]))
    return Row(run_time=run_time, events=found, extra=True, reason=_why_extra(schedule, found[0]))


def _why_extra(schedule: Schedule, event: Event) -> str:
    said = event.status[-1].message
    if event.kind is Kind.MANUAL:
        return f"Triggered by hand: {said}"
    if event.kind is not Kind.SCHEDULED:
        return f"Asked for by hand ({event.kind}): {said}"
    if event.run_time < rule_since(schedule):
        return f"Of an older rule (revision {event.revision}): {said}"
    return f"No instant of the rule: {said}"


def _successes(event: Event) -> int:
    """How many attempts were answered with success."""
    if len(event.attempts) < 2:
        return 0
    return sum(each.status_code is not None and 200 <= each.status_code < 300 for each in event.attempts)


def row_view(row: Row) -> dict[str, object]:
    """A row as JSON."""
    event = row.event
    return {
        "run_time": format_instant(row.run_time),
        "outcome": row.outcome,
        "extra": row.extra,
        "reason": row.reason,
        "event_id": event and event.id,
        "kind": event and event.kind,
        "attempts": len(event.attempts) if event else 0,
        "entries": len(row.events),
        "doubled": row.doubled,
    }


def report_view(made: Report) -> dict[str, object]:
    """A report as JSON, without its rows."""
    return {
        "schedule_id": made.schedule_id,
        "from": format_instant(made.start),
        "to": format_instant(made.end),
        "rule_since": format_instant(made.rule_since),
        "instants": made.instants,
        "missing": made.missing_count,
        "doubled": made.doubled_count,
        "outcomes": _sorted(made.outcomes),
        "extra": _sorted(made.extra),
    }


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts) if counts[name]}
