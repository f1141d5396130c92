"""Real worker processes against a queue full of due events: how long, and what CPU each process spent."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import psutil

from rrcli.clock import SystemClock
from rrcli.core.ids import occurrence_id
from rrcli.core.models import EventState, Schedule
from rrcli.operations.context import Context
from rrcli.operations.window import queue_window
from rrcli.repository.base import Repository
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.benchmarks.loads import archived
from tests.support import servers
from tests.support.stack import Stack, environment, wait_until

LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 120.0
PROGRAMS = {"mongod": "mongod", "valkey-server": "redis", "redis-server": "redis", "nginx": "nginx"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Schedules and how many due events each has."""

    schedules: int
    each: int
    urls: Sequence[str]
    body: str | None = None

    @property
    def events(self) -> int:
        """How many calls that makes."""
        return self.schedules * self.each

    def made(self, now: datetime) -> list[Schedule]:
        """The schedules; their occurrences lie in the last seconds before `now`."""
        start = now.replace(microsecond=0) - timedelta(seconds=self.each)
        return [
            Schedule(
                id=occurrence_id("benchmark", start, nonce=str(number)),
                name=f"bench-{number}",
                rrule=f"DTSTART:{start:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=SECONDLY;COUNT={self.each}",
                callback_url=self.urls[number % len(self.urls)],
                headers={"content-type": "application/json"} if self.body else {},
                body=self.body,
                next_run=start,
                created_at=start,
                updated_at=start,
            )
            for number in range(self.schedules)
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Drained:
    """Events a second from the first claim to the last acknowledgement; CPU µs an event of each program."""

    events_per_second: float
    cpu_us: Mapping[str, float]


@contextmanager
def stores(*, embedded: bool) -> Iterator[Iterator[Settings]]:
    """Settings of fresh stores, as many as are asked for, all on the same servers."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        defaults = Settings()
        if not embedded:
            mongo, redis = stack.enter_context(servers.mongod()), stack.enter_context(servers.redis_server())
            defaults = replace(
                defaults,
                mongo=replace(defaults.mongo, uri=mongo.uri),
                redis=replace(defaults.redis, url=redis.url),
            )

        def fresh() -> Iterator[Settings]:
            number = 0
            while True:
                number += 1
                yield replace(
                    defaults,
                    mongo=replace(defaults.mongo, database=f"bench_{number}"),
                    embedded=replace(defaults.embedded, data_dir=str(folder / str(number))),
                )

        yield fresh()


def drain(store: Settings, work: Work, *, workers: int = 1, command: Sequence[str] = ()) -> Drained:
    """Fill a fresh store, wait until the workers listen, hand them everything at once, and watch.

    `command` is put before that of a worker: a profiler's.
    """
    with open_repository(store) as repository, tempfile.TemporaryDirectory() as folder:
        repository.init()
        ids = filled(repository, store, work)
        stack = Stack(environment(store), Path(folder, "log"), command=command)
        try:
            for number in range(workers):
                stack.start(f"worker-{number}")
            long_ago = SystemClock().now() - timedelta(minutes=1)
            wait_until(lambda: len(repository.heartbeats.list(long_ago)) == workers, what="a worker's start")
            return _watched(repository, ids)
        finally:
            _end_profiled(stack)
            stack.stop()


def filled(repository: Repository, store: Settings, work: Work) -> list[str]:
    """Ids of events that have been dispatched but for the last step, which hands them to the workers."""
    context = Context(repository=repository, clock=SystemClock(), settings=store)
    schedules = work.made(context.now())
    repository.schedules.add(schedules)
    queue_window(context, schedules, context.now())
    ids = repository.queues.due(context.now(), work.events + 1)
    assert len(ids) == work.events, f"{len(ids)} of {work.events} events are due"
    for begin in range(0, len(ids), 1000):
        repository.events.dispatched(ids[begin : begin + 1000], context.now(), due_by=context.now())
    return ids


def _watched(repository: Repository, ids: Sequence[str]) -> Drained:
    before, began = _cpu_seconds(), time.perf_counter()
    repository.queues.promote(ids)
    while (depths := repository.queues.depths()).worker or depths.in_flight:
        assert time.perf_counter() - began < PATIENCE_SECONDS, depths
        time.sleep(LOOK_SECONDS)
    seconds, after = time.perf_counter() - began, _cpu_seconds()
    ended, page = archived(repository), repository.events.history(None, limit=1000)
    assert ended == len(ids), f"{ended} of {len(ids)} events in the archive"
    assert {event.state for event in page.items} == {EventState.COMPLETED}
    spent = {name: (after[name] - before.get(name, 0.0)) / len(ids) * 1e6 for name in sorted(after)}
    return Drained(events_per_second=len(ids) / seconds, cpu_us=spent)


def _end_profiled(stack: Stack) -> None:
    """A profiler writes its record when the process that it runs has ended."""
    if stack.command:
        for process in stack.processes.values():
            for worker in psutil.Process(process.pid).children():
                worker.terminate()
            process.wait(20)


def _cpu_seconds() -> dict[str, float]:
    """User and system time so far of the programs that this process has started, by name."""
    spent: dict[str, float] = {}
    for process in psutil.Process().children(recursive=True):
        try:
            times, name = process.cpu_times(), process.name()
        except psutil.NoSuchProcess:
            continue
        label = PROGRAMS.get(name, "worker")
        spent[label] = spent.get(label, 0.0) + times.user + times.system
    return spent
