"""What a store does for this product, in the words of queues and ledgers.

Every method takes batches, is one or very few round trips, and raises StoreUnavailable when the server or
file cannot be reached. Whatever depends on wall time is given `now`; leases run on the store's own clock.

Rules that every backend keeps (shown by tests/contract):

- An event id stands in at most one of: the ready queue, the worker queue, in flight.
- The ledger is the truth. A queue entry whose event is not live means nothing; a live event in no queue is
  found by `live` with `missing`, and queued again.
- A crash between any two calls is repaired by making the calls again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, Protocol, Self, TypeVar

from msgspec import Struct

from rrcli.core.api_keys import ApiKey
from rrcli.core.calendars import Calendar
from rrcli.core.idempotency import Answer, KeyUse
from rrcli.core.models import Event, EventState, Schedule, ScheduleState, Timetable

T = TypeVar("T")

COUNTED = 100_000
"""Live events that are looked at to count the states: about a tenth of a second's worth."""

TOTAL_LIMIT = 10_000
"""Events that are counted for the total of a list, so that a page costs the same however long the list is."""

DISPATCHED = "Due; handed to the workers"
"""The message of the status that `Events.dispatched` gives."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[T]):
    """Part of a list, and how many there are in all; at least so many, when that is not `exact`."""

    items: tuple[T, ...]
    total: int
    exact: bool = True


def counted_up_to(limit: int, offset: int) -> int:
    """How many events of a list are counted at most: TOTAL_LIMIT, and what shows that a next page has one."""
    return max(TOTAL_LIMIT, offset + limit + 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Advance:
    """Move a watermark, if the rule it came from is still the current one."""

    schedule_id: str
    rule_revision: int
    next_run: datetime | None


class QueueEntry(Struct, frozen=True, kw_only=True, gc=False):
    """An event id and when it is due."""

    event_id: str
    due: datetime


class Standing(Struct, frozen=True, kw_only=True, gc=False):
    """What the reconciler must know of a live event: far cheaper to read than the whole of it."""

    event_id: str
    due: datetime
    state: EventState


@dataclass(frozen=True, kw_only=True, slots=True)
class Depths:
    """How many ids stand where, and since when the oldest ready one is due."""

    ready: int
    worker: int
    in_flight: int
    oldest_due: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat:
    """A sign of life of one daemon process; `detail` holds its counters."""

    daemon: str
    instance: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    detail: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How one archived event ended: what a page draws of it. `duration_ms` is the last attempt's."""

    event_id: str
    run_time: datetime
    state: EventState
    lateness_ms: float | None
    duration_ms: float | None


class Channel(StrEnum):
    """Who is woken: the dispatcher by an earlier head of the ready queue, the worker by work."""

    DISPATCHER = "dispatcher"
    WORKER = "worker"


class Schedules(Protocol):
    """The schedules and their watermarks."""

    def add(self, schedules: Sequence[Schedule]) -> None:
        """Store new schedules. Raises Conflict when an id exists; the others are stored all the same."""
        ...

    def get(self, ids: Collection[str]) -> dict[str, Schedule]:
        """Those that exist, by id."""
        ...

    def known(self, ids: Collection[str]) -> set[str]:
        """Which of `ids` exist: far cheaper than `get`."""
        ...

    def resolve(self, reference: str, limit: int = 3) -> list[Schedule]:
        """Candidates for what a person typed: the exact id; else the exact name; else a prefix of the id."""
        ...

    def find(
        self,
        *,
        state: ScheduleState | None = None,
        name: str | None = None,
        tag: str | None = None,
        limit: int,
        offset: int = 0,
    ) -> Page[Schedule]:
        """Newest first (by id, descending). `name` matches a part of the name, ignoring case."""
        ...

    def following(
        self,
        after_id: str | None,
        *,
        state: ScheduleState | None = None,
        name: str | None = None,
        tag: str | None = None,
        limit: int,
    ) -> list[Schedule]:
        """As `find`, the part behind the schedule `after_id` (None: the first), without a count.

        As quick deep in the list as at its beginning, for all but `name`, which reads what lies between.
        """
        ...

    def replace(self, schedule: Schedule, *, expected_revision: int) -> bool:
        """Overwrite, if the stored revision is still `expected_revision`; False when it is not or is gone."""
        ...

    def remove(self, schedule_id: str) -> bool:
        """Delete the schedule itself; False when there was none."""
        ...

    def due(self, before: datetime, limit: int) -> list[Schedule]:
        """Active schedules whose watermark is earlier than `before`, earliest first, by index."""
        ...

    def timetables(self, before: datetime, limit: int, *, since: datetime | None = None) -> list[Timetable]:
        """As `due`, of each schedule what says when it occurs: a window is filled from no more.

        With `since`, those whose watermark is no earlier.
        """
        ...

    def advance(self, moves: Sequence[Advance]) -> int:
        """Set watermarks where the rule revision is unchanged and the schedule still active; how many it did.

        A watermark never goes back: an earlier value than the stored one changes nothing, and None, which
        says that nothing is left, is later than all. A loss of power may undo it: then the same events are
        made again, and the ledger has them.
        """
        ...

    def exhausted(self, limit: int) -> list[Schedule]:
        """Active schedules with no watermark left: they complete when their last event has ended."""
        ...

    def using_calendar(self, name: str, *, after_id: str = "", limit: int) -> list[Schedule]:
        """Schedules that exclude this calendar, by id ascending, from the first id after `after_id`."""
        ...

    def counts(self) -> dict[ScheduleState, int]:
        """How many schedules there are in each state (absent means 0)."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a list of events was left: its last event. Reading goes on right behind it."""

    run_time: datetime
    event_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EventQuery:
    """Which events a list has: of one schedule or of all, in one state or any, run time in [start, end)."""

    schedule_id: str | None = None
    state: EventState | None = None
    start: datetime | None = None
    end: datetime | None = None


class EventLists(Protocol):
    """Lists of events in parts, each found as quickly as the first, however deep it lies."""

    def pending(self, query: EventQuery, *, after: Place | None, limit: int) -> list[Event]:
        """Live events behind `after`, by run time (of all schedules: to the second) ascending."""
        ...

    def history(self, query: EventQuery, *, after: Place | None, limit: int) -> list[Event]:
        """Archived events behind `after`, by run time (of all schedules: to the second) descending."""
        ...


class Events(Protocol):
    """The ledger: live events, and the archive of finished ones."""

    def add(self, events: Sequence[Event]) -> list[Event]:
        """Enter events; returns those that now must stand in the ready queue.

        These are the new ones, and those found live and still in state ready_queue or retry (an earlier
        try crashed before queueing), as stored. An id that is in the archive is not entered again, unless
        it is there as `superseded`, or as `skipped` before its run time (by a person or a calendar): then
        the archived entry goes and the occurrence is on again.
        """
        ...

    def get(self, ids: Collection[str]) -> dict[str, Event]:
        """The live ones among `ids`, by id."""
        ...

    def find(self, event_id: str) -> Event | None:
        """One event, live or archived."""
        ...

    def resolve(self, reference: str, limit: int = 3) -> list[Event]:
        """Events, live or archived, whose id starts with `reference`."""
        ...

    def pending(self, schedule_id: str | None, *, limit: int, offset: int = 0) -> Page[Event]:
        """Live events, of one schedule or of all, by run time ascending; counted up to `counted_up_to`."""
        ...

    def history(self, schedule_id: str | None, *, limit: int, offset: int = 0) -> Page[Event]:
        """Archived events, of one schedule or of all, by run time descending; counted as `pending`."""
        ...

    def dispatched(self, ids: Collection[str], now: datetime, *, due_by: datetime) -> None:
        """Give the status worker_queue to those of `ids` that are live in state ready_queue or retry and due.

        Due at `due_by` or earlier: this may come late, and then one of them is a retry of a later time.
        """
        ...

    def save(self, events: Sequence[Event]) -> None:
        """Overwrite live events (a retry was noted); ids that are not live are left alone.

        So are events that have more attempts as stored: this worker was stopped for longer than its lease,
        and another has gone on.
        """
        ...

    def archive(self, events: Sequence[Event], now: datetime) -> set[str]:
        """Write finished events to the archive, then delete the live ones.

        An id that the archive has keeps its first entry, unless that could be on again (see `add`). Returns
        nothing when all were live, else ids among which are those that were not any more: finished by
        another worker, or removed with their schedule.
        """
        ...

    def record_skips(self, events: Sequence[Event], now: datetime) -> None:
        """Enter skipped runs straight into the archive.

        Under the same id a longer run replaces a shorter one, and any run what is there as `superseded`.
        """
        ...

    def discard(self, ids: Collection[str]) -> None:
        """Delete live events without a trace (their schedule is gone)."""
        ...

    def live(self, *, after_id: str, limit: int) -> list[Event]:
        """Live events by id ascending, from the first id greater than `after_id` ('' to start)."""
        ...

    def standings(self, *, after_id: str, limit: int) -> list[Standing]:
        """As `live`, of each event only what it takes to queue it again."""
        ...

    def unfinished(
        self, schedule_id: str, *, before: datetime | None = None, limit: int = 1000
    ) -> list[Event]:
        """Live events of one schedule (with run_time < `before`), by run time ascending."""
        ...

    def between(self, schedule_id: str, start: datetime, end: datetime, *, limit: int) -> list[Event]:
        """Events of one schedule with run_time in [start, end), live and archived, by run time and id.

        About `limit` of them: cut between two run times, never inside one, so that reading goes on right
        after the last one's run time. Empty only when there is none.
        """
        ...

    def covering(self, schedule_id: str, instant: datetime) -> list[Event]:
        """Entries of skipped runs (with `span`) that begin before `instant` and reach up to it or beyond."""
        ...

    def archived(self, ids: Collection[str]) -> set[str]:
        """Which of `ids` the archive has and `add` would not put on again: those must not be called again."""
        ...

    def claimed(self, ids: Collection[str]) -> tuple[dict[str, Event], set[str]]:
        """As `get` and then `archived`, at once: what a worker must know of what it has claimed."""
        ...

    def results(self, schedule_id: str, limit: int) -> list[Event]:
        """Archived events of kind scheduled in state completed or error, latest run time first."""
        ...

    def forget(self, schedule_id: str) -> list[str]:
        """Delete all events of a schedule, live and archived; returns the ids that were live."""
        ...

    def purge(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` archived events that were archived before; how many were deleted."""
        ...

    def counts(self) -> dict[EventState, int]:
        """How many live events there are in each state (absent means 0).

        Of more than COUNTED, those with the earliest ids are looked at; the rest are taken for waiting ones,
        as those of the future are.
        """
        ...


class Outcomes(Protocol):
    """Looks back over the archive, many runs in one round trip and no document as a whole."""

    def latest(self, schedule_ids: Collection[str], limit: int) -> dict[str, list[Run]]:
        """The last `limit` runs of each schedule that has any, latest run time first."""
        ...

    def tally(self, schedule_id: str, edges: Sequence[datetime]) -> list[dict[EventState, int]]:
        """How many occurrences ended how in [edges[i], edges[i + 1]), for each i; absent means 0.

        `edges` ascend. An entry that stands for a run of skipped occurrences counts as many, where it begins.
        """
        ...


class Queues(Protocol):
    """ready_queue (by due time) -> worker_queue (due, unclaimed) -> in flight (claimed under a lease)."""

    def add(self, entries: Sequence[QueueEntry]) -> int:
        """Put ids into the ready queue; those already in any queue stay where they are; how many were new.

        Wakes the dispatcher when the head became earlier.
        """
        ...

    def head(self) -> datetime | None:
        """Due time of the first entry of the ready queue."""
        ...

    def due(self, now: datetime, limit: int) -> list[str]:
        """Ids of the ready queue that are due, earliest first; they stay there."""
        ...

    def promote(self, ids: Collection[str]) -> int:
        """Move those of `ids` that are in the ready queue to the worker queue and wake workers; how many."""
        ...

    def claim(self, worker: str, limit: int, lease: timedelta, *, holding: bool = False) -> list[str]:
        """Take ids from the worker queue, earliest due first, under the worker's lease (renewed by this).

        A worker that is `holding` claims gets none when its lease has run out or is unknown, and no new
        lease: then `extend` says so, and what it holds can be taken again before anything else is.
        """
        ...

    def extend(self, worker: str, lease: timedelta) -> bool:
        """Renew the lease; False when what was claimed may be elsewhere now: it had run out or is unknown,

        or this is another server than at the last renewal.
        """
        ...

    def held(self, worker: str) -> set[str]:
        """Ids in flight under this worker: asked after an outage, when the reply to a claim may be lost."""
        ...

    def retake(self, worker: str, entries: Sequence[QueueEntry], lease: timedelta) -> set[str]:
        """Put what this worker is calling in flight again, under a new lease: the queues were lost or its

        lease ran out. Ids that wait in a queue are taken out of it. Returns the ids that another worker
        holds: they stay there.
        """
        ...

    def acknowledge(self, worker: str, ids: Collection[str]) -> None:
        """Forget claims of this worker: the ledger has the result. Claims that are another's stay."""
        ...

    def retry(self, worker: str, entries: Sequence[QueueEntry]) -> None:
        """Move claims of this worker back to the ready queue, due later; wakes as `add` does."""
        ...

    def release(self, worker: str) -> int:
        """Return all claims of this worker to the worker queue, end its lease, wake workers; how many."""
        ...

    def reap(self) -> int:
        """Return the claims of workers whose lease has run out, and wake workers; how many returned."""
        ...

    def withdraw(self, ids: Collection[str]) -> set[str]:
        """Take ids out of the ready and worker queues; those in flight stay. Returns the ids taken out."""
        ...

    def missing(self, ids: Collection[str]) -> set[str]:
        """Which of `ids` stand in no queue and are not in flight."""
        ...

    def depths(self) -> Depths:
        """Lengths of all queues."""
        ...

    def incarnation(self) -> str:
        """A token that changes when the queues were emptied or replaced: all live events are to be checked.

        Made and stored by the first call that finds none.
        """
        ...

    def connections(self) -> int:
        """Another number than before: a connection was made, perhaps to another server. Asks nobody."""
        ...


class Heartbeats(Protocol):
    """Signs of life."""

    def beat(self, heartbeat: Heartbeat) -> None:
        """Store the newest sign of life of one instance."""
        ...

    def stop(self, instance: str) -> None:
        """The instance ended in order; it is not listed any more."""
        ...

    def list(self, since: datetime) -> list[Heartbeat]:
        """Instances seen at or after `since`, by daemon and instance."""
        ...


class ApiKeys(Protocol):
    """Who may use the REST service."""

    def add(self, key: ApiKey) -> None:
        """Store a new key. Raises Conflict when the id exists."""
        ...

    def get(self, key_id: str) -> ApiKey | None:
        """One key, revoked or not."""
        ...

    def list(self) -> list[ApiKey]:
        """All keys, oldest first, the revoked ones too."""
        ...

    def exist(self) -> bool:
        """Whether any key was ever made, revoked ones included."""
        ...

    def used(self, key_id: str, now: datetime) -> None:
        """Note that the key was used; an earlier `now` than the stored one changes nothing."""
        ...

    def revoke(self, key_id: str, now: datetime) -> bool:
        """End a key; False when there is none that is not revoked yet."""
        ...


class Calendars(Protocol):
    """Holiday calendars, by name: few, and read far more often than changed."""

    def put(self, calendar: Calendar) -> None:
        """Store it, in the place of one of the same name."""
        ...

    def get(self, names: Collection[str]) -> dict[str, Calendar]:
        """Those that exist, by name."""
        ...

    def versions(self, names: Collection[str]) -> dict[str, str]:
        """The versions of those that exist: what tells whether a calendar that was read is still the one."""
        ...

    def list(self) -> list[Calendar]:
        """All, by name."""
        ...

    def remove(self, name: str) -> bool:
        """Delete it; False when there was none."""
        ...


class IdempotencyKeys(Protocol):
    """Which requests have been made under which key, for as long as `idempotency.KEEP`."""

    def begin(self, use: KeyUse, now: datetime) -> tuple[KeyUse, bool]:
        """Enter a use: what is stored now, and whether the request is to be made by the caller.

        It is when the key is new or has expired, or when an earlier try of the same request broke off: then
        the stored use comes back with one attempt more. Of several callers at one time one is told so.
        """
        ...

    def finish(self, use: KeyUse, answer: Answer, now: datetime) -> None:
        """Store the answer, unless another attempt has taken over; and forget some that have expired."""
        ...

    def release(self, use: KeyUse) -> None:
        """The attempt failed half-way: the next one may begin at once, and makes the same ids."""
        ...

    def forget(self, use: KeyUse) -> None:
        """Nothing was done: the key is as new, unless another attempt has taken over."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """One server or library of the store; `time` is what its clock says, None where it is this machine's."""

    name: str
    version: str
    least: str
    supported: bool
    time: datetime | None = None


class Inspection(Protocol):
    """Looks at the store itself, for people who want to know whether it is sound."""

    def servers(self) -> list[Server]:
        """What the store consists of, each asked for its version and time."""
        ...

    def missing_indexes(self) -> list[str]:
        """Tables and indexes that `init` makes and that are not there."""
        ...

    def damage(self) -> list[str]:
        """What the store's own check of its files says; may take minutes. Empty when all is well."""
        ...


class Waiter(Protocol):
    """One process's ear on a channel; made before the first look, so that no wake-up is lost."""

    def fileno(self) -> int:
        """Readable when woken, for select; asked before every wait, because a reconnect changes it."""
        ...

    def drain(self) -> None:
        """Forget the wake-ups that have come so far."""
        ...

    def close(self) -> None: ...


class Repository(Protocol):
    """One open store. Thread-safe; one per process."""

    schedules: Schedules
    events: Events
    outcomes: Outcomes
    queues: Queues
    heartbeats: Heartbeats
    api_keys: ApiKeys
    calendars: Calendars
    idempotency_keys: IdempotencyKeys
    event_lists: EventLists
    inspection: Inspection
    is_remote: bool
    """Whether servers do the work, so that two threads get more done than one."""

    @property
    def description(self) -> str:
        """What and where it is, without credentials: `embedded /path` or `mongo host, redis host`."""
        ...

    def init(self) -> None:
        """Make tables, indexes, whatever must exist; safe to repeat, also by several at once."""
        ...

    def ping(self, *, queues: bool = True) -> None:
        """Raises StoreUnavailable when a server or the file cannot be reached, within about two seconds.

        Without `queues` only what it takes to read schedules and the ledger is asked for.
        """
        ...

    def waiter(self, channel: Channel) -> Waiter:
        """A new ear on a channel."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
