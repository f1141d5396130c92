"""The reading half of a repository, behind REST: what looks at things works on it as on a store."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import NoReturn, Self, TypeVar, cast

from rrcli.core.calendars import Calendar
from rrcli.core.ids import is_id
from rrcli.core.models import Event, Schedule, ScheduleState
from rrcli.errors import NotFound, StoreNeeded
from rrcli.operations.lists import schedule_cursor
from rrcli.remote import records
from rrcli.remote.client import Client
from rrcli.repository.base import Page, Repository

T = TypeVar("T")

IDS_AT_ONCE = 100
"""Schedules named in one request."""


class _Partial:
    """What the service does not offer is refused, rather than half done."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise StoreNeeded


class Schedules(_Partial):
    """Schedules as the service shows them, header values and secrets masked."""

    def get(self, ids: Collection[str]) -> dict[str, Schedule]:
        """Those that exist, by id."""
        found: dict[str, Schedule] = {}
        for some in _batches([each for each in ids if is_id(each)], IDS_AT_ONCE):
            answer = self._client.get("/api/resolve/schedules", ids=",".join(some))
            found |= {view["id"]: records.schedule(view) for view in answer["schedules"]}
        return found

    def resolve(self, reference: str, limit: int = 3) -> list[Schedule]:
        """Candidates for what a person typed."""
        answer = self._client.get("/api/resolve/schedules", reference=reference)
        return [records.schedule(view) for view in answer["schedules"][:limit]]

    def find(
        self,
        *,
        state: ScheduleState | None = None,
        name: str | None = None,
        tag: str | None = None,
        limit: int,
        offset: int = 0,
    ) -> Page[Schedule]:
        """Newest first."""
        answer = self._client.get(
            "/api/schedules", state=state, name=name, tag=tag, limit=limit, page=offset // limit + 1
        )
        found = tuple(records.schedule(view) for view in answer["schedules"])
        return Page(items=found, total=answer["total"])

    def following(
        self,
        after_id: str | None,
        *,
        state: ScheduleState | None = None,
        name: str | None = None,
        tag: str | None = None,
        limit: int,
    ) -> list[Schedule]:
        """As `find`, the part behind the schedule `after_id` (None: the first)."""
        after = schedule_cursor(after_id)
        answer = self._client.get("/api/schedules", state=state, name=name, tag=tag, limit=limit, after=after)
        return [records.schedule(view) for view in answer["schedules"]]


class Events(_Partial):
    """The ledger."""

    def find(self, event_id: str) -> Event | None:
        """One event, live or archived."""
        try:
            return records.event(self._client.get(f"/api/events/{event_id}"))
        except NotFound:
            return None

    def resolve(self, reference: str, limit: int = 3) -> list[Event]:
        """Events whose id starts with `reference`."""
        answer = self._client.get("/api/resolve/events", reference=reference)
        return [records.event(view) for view in answer["events"][:limit]]

    def pending(self, schedule_id: str | None, *, limit: int, offset: int = 0) -> Page[Event]:
        """Live events, by run time ascending."""
        return self._page("pending", schedule_id, limit, offset)

    def history(self, schedule_id: str | None, *, limit: int, offset: int = 0) -> Page[Event]:
        """Archived events, by run time descending."""
        return self._page("history", schedule_id, limit, offset)

    def _page(self, state: str, schedule_id: str | None, limit: int, offset: int) -> Page[Event]:
        answer = self._client.get(
            "/api/events", state=state, schedule_id=schedule_id, limit=limit, page=offset // limit + 1
        )
        found = tuple(records.event(view) for view in answer["events"])
        return Page(items=found, total=answer["total"], exact=answer["total_exact"])


class Calendars(_Partial):
    """Holiday calendars. Their version is when they were last imported."""

    def get(self, names: Collection[str]) -> dict[str, Calendar]:
        """Those that exist, by name."""
        found: dict[str, Calendar] = {}
        for name in names:
            try:
                found[name] = records.calendar(self._client.get(f"/api/calendars/{name}"))
            except NotFound:
                continue
        return found

    def versions(self, names: Collection[str]) -> dict[str, str]:
        """The versions of those that exist."""
        return {each.name: each.version for each in self._summaries() if each.name in set(names)}

    def list(self) -> list[Calendar]:
        """All, with their contents, by name."""
        found = self.get([each.name for each in self._summaries()])
        return [found[name] for name in sorted(found)]

    def _summaries(self) -> Sequence[Calendar]:
        return [records.calendar(view) for view in self._client.get("/api/calendars")["calendars"]]


class RemoteRepository(_Partial):
    """Satisfies `Repository` as far as looking goes; whatever else is asked raises StoreNeeded."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.schedules = Schedules(client)
        self.events = Events(client)
        self.calendars = Calendars(client)

    @property
    def description(self) -> str:
        """Which service it is."""
        return f"server {self._client.server}"

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_remote(client: Client) -> Repository:
    """The service as a repository; nothing is asked of it yet."""
    return cast(Repository, RemoteRepository(client))


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
