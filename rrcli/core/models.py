"""The two records of the product: Schedule (when, and what to call) and Event (one occurrence).

What is made by the thousand a second is a `Struct`: made five times, copied fifteen times as fast as a frozen
dataclass, and nothing that the garbage collector looks at, since it cannot be part of a cycle.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rrcli.clock import from_ms, to_ms


class ScheduleState(StrEnum):
    """Whether a schedule makes occurrences: `active`, `paused` by someone, `completed` when none is left."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"


class EventState(StrEnum):
    """The newest status of an event; the last five are final. Diagram: docs/flow.md."""

    READY = "ready_queue"
    WORKER = "worker_queue"
    RETRY = "retry"
    COMPLETED = "completed"
    ERROR = "error"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """True when the event stands in `archived_events` and will not change any more."""
        return self not in _LIVE


_LIVE = frozenset({EventState.READY, EventState.WORKER, EventState.RETRY})


class Kind(StrEnum):
    """Where an event comes from: the rule, a person's trigger, a replay, a backfill of a missed instant."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    REPLAY = "replay"
    BACKFILL = "backfill"


class MisfirePolicy(StrEnum):
    """What happens to occurrences that come up too late: fire all, only the latest, or none."""

    ALL = "all"
    LATEST = "latest"
    SKIP = "skip"


class Overlap(StrEnum):
    """What happens when an occurrence is due while an earlier one has not ended."""

    ALLOW = "allow"
    SKIP = "skip"
    QUEUE = "queue"


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """Exponential back-off with full jitter: attempt n waits 0 … min(cap, base * factor**(n-1)) seconds."""

    base_seconds: float = 1.0
    factor: float = 2.0
    cap_seconds: float = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfire:
    """Later than `grace_seconds` follows `policy`; later than `window_seconds` never fires."""

    policy: MisfirePolicy = MisfirePolicy.LATEST
    grace_seconds: float = 60.0
    window_seconds: float = 86_400.0


_ZERO = timedelta(0)


def require_utc(**instants: datetime | None) -> None:
    """Refuse naive and non-UTC datetimes: a wrong one here would be a wrong call later.

    Raises ValueError naming the field.
    """
    for name, instant in instants.items():
        if instant is None or instant.tzinfo is UTC:
            continue
        if instant.utcoffset() != _ZERO:
            raise ValueError(f"{name} must be an aware UTC datetime, not {instant!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Skip:
    """One occurrence that a person took out; `moved_to` is the instant that takes its place, if one does."""

    run_time: datetime
    reason: str | None = None
    moved_to: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(run_time=self.run_time, moved_to=self.moved_to)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """When, and what to call.

    `rrule` is the stored recurrence text, always with its DTSTART. `next_run` is the durable watermark:
    the first occurrence that has not been queued yet; None when there is none. `revision` counts every
    change (ETag); `rule_revision` is the revision that last changed rule, time zone, skips, calendars or
    state: queued events of older revisions fire only if their instant still is an occurrence. `max_retries`
    None means the setting `worker.max_retries`. `skips` are by run time; `auto_pause_after` (0: never) counts
    failures in a row that ended at or after `state_since`. `rule_since` is when the present rule and time
    zone began to count, `state_since` when the present state did; None means since the creation.
    """

    id: str
    name: str
    rrule: str
    timezone: str | None = None
    callback_url: str
    method: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    timeout_seconds: float = 30.0
    max_retries: int | None = None
    retry: Retry = Retry()
    follow_redirects: bool = False
    misfire: Misfire = Misfire()
    overlap: Overlap = Overlap.ALLOW
    jitter_seconds: float = 0.0
    tags: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    auto_pause_after: int = 0
    exclude_calendars: tuple[str, ...] = ()
    skips: tuple[Skip, ...] = ()
    state: ScheduleState = ScheduleState.ACTIVE
    state_reason: str | None = None
    revision: int = 1
    rule_revision: int = 1
    rule_since: datetime | None = None
    state_since: datetime | None = None
    next_run: datetime | None = None
    created_at: datetime
    updated_at: datetime

    def __post_init__(self) -> None:
        require_utc(
            next_run=self.next_run,
            rule_since=self.rule_since,
            state_since=self.state_since,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )

    @property
    def effective_method(self) -> str:
        """The HTTP method: as set, else POST when there is a body, else GET."""
        return self.method or ("GET" if self.body is None else "POST")


class Timetable(Struct, frozen=True, kw_only=True, gc=False):
    """Of a schedule what says when it occurs, and nothing of the call; the fields are those of `Schedule`."""

    id: str
    rrule: str
    timezone: str | None
    misfire: Misfire
    jitter_seconds: float
    exclude_calendars: tuple[str, ...]
    skips: tuple[Skip, ...]
    revision: int
    rule_revision: int
    next_run: datetime | None


Timed: TypeAlias = Schedule | Timetable


class Status(Struct, frozen=True, kw_only=True, gc=False):
    """One step of an event's life, with a sentence that says why."""

    time: datetime
    status: EventState
    message: str

    def __post_init__(self) -> None:
        if self.time.tzinfo is not UTC:  # told at once where it is: these are made by the thousand
            require_utc(time=self.time)


class Attempt(Struct, frozen=True, kw_only=True, gc=False):
    """One HTTP call: start, how long it took, and either a status code or an error.

    `response` is the first KiB of the body.
    """

    time: datetime
    duration_ms: float
    status_code: int | None = None
    error: str | None = None
    response: str | None = None

    def __post_init__(self) -> None:
        if self.time.tzinfo is not UTC:  # told at once where it is: these are made by the thousand
            require_utc(time=self.time)


class Span(Struct, frozen=True, kw_only=True, gc=False):
    """A run of skipped occurrences recorded as one entry: first and last instant (both included), count."""

    first: datetime
    last: datetime
    count: int

    def __post_init__(self) -> None:
        require_utc(first=self.first, last=self.last)


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """One occurrence of one schedule, and its whole story.

    `run_time` is the nominal instant; `due` when it is to be dispatched next (nominal plus jitter, or the
    next attempt). `lateness_ms` is from `due` of the first attempt to its start. `replay_of` is the
    event that this one repeats, `webhook_id` the id that receivers see, where it is not its own. `span` is
    set on the one entry that stands for several skipped occurrences.
    """

    id: str
    schedule_id: str
    run_time: datetime
    due: datetime
    kind: Kind = Kind.SCHEDULED
    revision: int
    status: tuple[Status, ...]
    attempts: tuple[Attempt, ...] = ()
    lateness_ms: float | None = None
    replay_of: str | None = None
    webhook_id: str | None = None
    span: Span | None = None
    created_at: datetime

    def __post_init__(self) -> None:
        if not (self.run_time.tzinfo is self.due.tzinfo is self.created_at.tzinfo is UTC):
            require_utc(run_time=self.run_time, due=self.due, created_at=self.created_at)

    @property
    def state(self) -> EventState:
        """The newest status."""
        return self.status[-1].status

    @property
    def message_id(self) -> str:
        """The `webhook-id` that is sent: one for all attempts, replays and backfills of an occurrence."""
        return self.webhook_id or self.id

    def moved(self, state: EventState, now: datetime, message: str, **changes: object) -> Self:
        """This event with one more status, and other fields changed as given."""
        step = Status(time=now, status=state, message=message)
        return replace(self, status=(*self.status, step), **changes)


def whole_ms(instant: datetime) -> datetime:
    """The instant as storage keeps it: UTC, rounded to milliseconds."""
    return from_ms(to_ms(instant))
