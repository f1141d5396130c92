"""The embedded store: one SQLite file, any number of processes and threads on one machine, no server."""

from pathlib import Path
from typing import Self

from rrcli.clock import Clock, SystemClock
from rrcli.repository.base import (
    ApiKeys,
    Calendars,
    Channel,
    EventLists,
    Events,
    Heartbeats,
    IdempotencyKeys,
    Inspection,
    Outcomes,
    Queues,
    Schedules,
    Waiter,
)
from rrcli.repository.sqlite_api_keys import SqliteApiKeys
from rrcli.repository.sqlite_calendars import SqliteCalendars
from rrcli.repository.sqlite_database import Database
from rrcli.repository.sqlite_event_lists import SqliteEventLists
from rrcli.repository.sqlite_events import SqliteEvents
from rrcli.repository.sqlite_heartbeats import SqliteHeartbeats
from rrcli.repository.sqlite_idempotency_keys import SqliteIdempotencyKeys
from rrcli.repository.sqlite_inspection import SqliteInspection
from rrcli.repository.sqlite_outcomes import SqliteOutcomes
from rrcli.repository.sqlite_queues import SqliteQueues
from rrcli.repository.sqlite_schedules import SqliteSchedules
from rrcli.repository.sqlite_wake import Bell


class SqliteRepository:
    """The parts of the store over one file; the contract is `base.Repository`."""

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

    is_remote = False

    def __init__(self, path: Path, clock: Clock) -> None:
        self._database = Database(path)
        # One file is one place to listen, by whatever link it is reached.
        self._bell = Bell(self._database.path.resolve())
        self.schedules = SqliteSchedules(self._database)
        self.events = SqliteEvents(self._database)
        self.outcomes = SqliteOutcomes(self._database)
        self.queues = SqliteQueues(self._database, self._bell, clock)
        self.heartbeats = SqliteHeartbeats(self._database)
        self.api_keys = SqliteApiKeys(self._database)
        self.calendars = SqliteCalendars(self._database)
        self.event_lists = SqliteEventLists(self._database)
        self.idempotency_keys = SqliteIdempotencyKeys(self._database)
        self.inspection = SqliteInspection(self._database)

    @classmethod
    def open(cls, path: Path, clock: Clock | None = None) -> Self:
        """The store in the file `path`, made when it does not exist. Leases run on `clock.monotonic`.

        Raises StoreUnavailable when the place cannot be written to, StoreCorrupt when the file is not a
        database of this product or of a newer version; the file stays as it is.
        """
        repository = cls(path, clock or SystemClock())
        try:
            repository.init()
        except BaseException:
            repository.close()
            raise
        return repository

    @property
    def description(self) -> str:
        return f"embedded {self._database.path}"

    def init(self) -> None:
        self._database.init()

    def ping(self, *, queues: bool = True) -> None:
        self._database.ping()

    def waiter(self, channel: Channel) -> Waiter:
        return self._bell.waiter(channel)

    def close(self) -> None:
        """Close the file; safe to repeat."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
