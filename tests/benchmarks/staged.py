"""Real daemons that run one after the other on fresh stores, and what each of them and of the servers spends.

Times are taken from outside: CPU from the operating system, round trips from the servers' own counters.
"""

import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import psutil
from pymongo import MongoClient
from redis import Redis

from rrcli.clock import SystemClock
from rrcli.core.ids import occurrence_id
from rrcli.core.models import Attempt, Event, EventState, Misfire, MisfirePolicy, Schedule
from rrcli.operations.context import Context
from rrcli.operations.window import queue_window
from rrcli.repository.base import Repository
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.benchmarks.draining import PROGRAMS
from tests.benchmarks.loads import archived
from tests.support.stack import Stack, environment, wait_until

STAGES = ("prequeuer", "dispatcher", "worker")
COSTS = (
    *("busy_us", "process_cpu_us", "mongod_cpu_us", "redis_cpu_us"),
    *("mongo_round_trips_per_1000", "redis_round_trips_per_1000"),
)
THINGS = ("schedule", "queued_event", "finished_event")
SIZES = ("mongo_data_bytes", "mongo_disk_bytes", "mongo_index_bytes", "redis_bytes")
SPREAD_SECONDS = 600
"""The events lie in the last ten minutes: as many as a window holds."""

LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 300.0
BATCH = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Costs for each event by daemon, bytes of each thing, CPU of the receiver for each call."""

    stages: Mapping[str, Mapping[str, float]]
    sizes: Mapping[str, Mapping[str, float]]
    receiver_cpu_us: float


@dataclass(frozen=True, slots=True)
class _Spent:
    """So far: seconds, CPU seconds by program, requests that the servers have taken."""

    at: float
    cpu: Mapping[str, float]
    mongo_requests: int
    redis_reads: int

    def cpu_us(self, before: "_Spent", program: str) -> float:
        """Microseconds of CPU that a program has spent since then."""
        return (self.cpu.get(program, 0.0) - before.cpu.get(program, 0.0)) * 1e6


def schedules_of(url: str, number: int, now: datetime) -> Iterator[list[Schedule]]:
    """Schedules in batches, each with a rule text of its own and one occurrence in the last ten minutes."""
    for begin in range(0, number, BATCH):
        yield [_schedule(url, index, now) for index in range(begin, min(number, begin + BATCH))]


def _schedule(url: str, index: int, now: datetime) -> Schedule:
    run_time = now.replace(microsecond=0) - timedelta(seconds=1 + index % SPREAD_SECONDS)
    start = run_time - timedelta(days=1 + index // SPREAD_SECONDS)
    # As different from each other as real ones: what is alike compresses to nearly nothing.
    own = blake2b(str(index).encode(), digest_size=24).hexdigest()
    return Schedule(
        id=occurrence_id("capacity", start, nonce=str(index)),
        name=f"nightly-report-{own[:6]}",
        rrule=f"DTSTART:{start:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=DAILY",
        callback_url=f"{url}/tenants/{own[:12]}/reports",
        headers={"content-type": "application/json"},
        body=f'{{"tenant": "{own[12:36]}", "token": "{own[36:]}"}}',
        misfire=Misfire(policy=MisfirePolicy.ALL, grace_seconds=3600.0),
        next_run=run_time,
        created_at=start,
        updated_at=start,
    )


def measure(store: Settings, url: str, number: int) -> Measured:
    """Take so many schedules, each with one event, from the rule to the archive, one daemon at a time."""
    with _opened(store) as (repository, servers, stack):
        _fill(repository, url, number)
        sizes = {"schedule": servers.sizes("schedules", number)}
        stages, receiver_us = {}, 0.0
        for name in STAGES:
            before = servers.spent()
            looks = _run(stack, [name], lambda: _is_done(name, repository, number))  # noqa: B023  # called at once
            after = servers.spent()
            stages[name] = _costs(before, after, name, number, looks)
            receiver_us = after.cpu_us(before, "nginx") / number
            if name == "prequeuer":
                memory = servers.redis_bytes() / number
                sizes["queued_event"] = servers.sizes("events", number) | {"redis_bytes": memory}
        _require_completed(repository, number)
        sizes["finished_event"] = servers.sizes("archived_events", number)
        return Measured(stages=stages, sizes=sizes, receiver_cpu_us=receiver_us)


def flow(store: Settings, url: str, number: int) -> float:
    """Events a second from the rule to the archive, all daemons at once."""
    with _opened(store) as (repository, _, stack):
        _fill(repository, url, number)
        began = time.perf_counter()
        _run(stack, STAGES, lambda: archived(repository) >= number)
        seconds = time.perf_counter() - began
        _require_completed(repository, number)
        return number / seconds


def sqlite_bytes(store: Settings, url: str, number: int) -> dict[str, float]:
    """Bytes of the embedded store's file for each schedule, each queued and each finished event."""
    with open_repository(store) as repository:
        repository.init()
        context = Context(repository=repository, clock=SystemClock(), settings=store)
        used = [_pages_bytes(store)]
        _fill(repository, url, number)
        used.append(_pages_bytes(store))
        now = context.now()
        for batch in schedules_of(url, number, now):
            queue_window(context, batch, now)
        used.append(_pages_bytes(store))
        _finish_all(repository, now)
        used.append(_pages_bytes(store))
    return {
        "schedule": (used[1] - used[0]) / number,
        "queued_event": (used[2] - used[1]) / number,
        "finished_event": (used[3] - used[1]) / number,
    }


def _pages_bytes(store: Settings) -> int:
    """Bytes of the pages in use."""
    path = Path(str(store.embedded.data_dir), "rrule-scheduler.db")
    with closing(sqlite3.connect(path)) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)


def _finish_all(repository: Repository, now: datetime) -> None:
    """What dispatcher and worker do with events whose first call succeeds."""
    lease = timedelta(minutes=5)
    while ids := repository.queues.due(now, BATCH):
        repository.events.dispatched(ids, now, due_by=now)
        repository.queues.promote(ids)
        claimed = repository.queues.claim("benchmark", BATCH, lease)
        ended = [_completed(event, now) for event in repository.events.get(claimed).values()]
        repository.events.archive(ended, now)
        repository.queues.acknowledge("benchmark", claimed)


def _completed(event: Event, now: datetime) -> Event:
    attempt = Attempt(time=now, duration_ms=12.3, status_code=200, response="ok")
    return event.moved(
        EventState.COMPLETED, now, "Event successfully processed", attempts=(attempt,), lateness_ms=1.0
    )


@contextmanager
def _opened(store: Settings) -> Iterator[tuple[Repository, "_Servers", Stack]]:
    """An empty store, its servers, and the three daemons, started and stopped where they stand."""
    client: MongoClient[dict[str, Any]] = MongoClient(store.mongo.uri)
    with ExitStack() as exits:
        exits.enter_context(client)
        redis = exits.enter_context(Redis.from_url(store.redis.url or ""))
        redis.flushall()
        repository = exits.enter_context(open_repository(store))
        repository.init()
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory()))
        named = environment(store, PREQUEUER_TICKER_INTERVAL_SECONDS="1", LOG_LEVEL="warn")
        stack = Stack(named, folder / "log")
        exits.callback(stack.stop)
        exits.callback(_send, stack, STAGES, signal.SIGCONT)
        for name in STAGES:
            stack.start(name)
        long_ago = SystemClock().now() - timedelta(minutes=1)
        wait_until(lambda: len(repository.heartbeats.list(long_ago)) == len(STAGES), what="the start")
        _send(stack, STAGES, signal.SIGSTOP)
        yield repository, _Servers(client, redis, store.mongo.database), stack


def _fill(repository: Repository, url: str, number: int) -> None:
    for batch in schedules_of(url, number, SystemClock().now()):
        repository.schedules.add(batch)


def _run(stack: Stack, names: Sequence[str], is_done: Callable[[], bool]) -> int:
    """Let the daemons go until it is done, and stop them again; how often was looked."""
    _send(stack, names, signal.SIGCONT)
    began, looks = time.perf_counter(), 1
    while not is_done():
        assert time.perf_counter() - began < PATIENCE_SECONDS, f"{names} take too long"
        time.sleep(LOOK_SECONDS)
        looks += 1
    _send(stack, names, signal.SIGSTOP)
    return looks


def _send(stack: Stack, names: Sequence[str], number: signal.Signals) -> None:
    for name in names:
        if name in stack.processes:
            stack.processes[name].send_signal(number)


def _is_done(name: str, repository: Repository, number: int) -> bool:
    depths = repository.queues.depths()
    if name == "worker":
        return depths.worker == depths.in_flight == 0
    return (depths.ready if name == "prequeuer" else depths.worker) == number


def _require_completed(repository: Repository, number: int) -> None:
    ended = archived(repository)
    states = {event.state for event in repository.events.history(None, limit=1000).items}
    assert (ended, states) == (number, {EventState.COMPLETED}), (ended, states)


def _costs(before: "_Spent", after: "_Spent", name: str, number: int, looks: int) -> dict[str, float]:
    return {
        "busy_us": (after.at - before.at) / number * 1e6,
        "process_cpu_us": after.cpu_us(before, name) / number,
        "mongod_cpu_us": after.cpu_us(before, "mongod") / number,
        "redis_cpu_us": after.cpu_us(before, "redis") / number,
        "mongo_round_trips_per_1000": (after.mongo_requests - before.mongo_requests) / number * 1000,
        # Looking at the depths is a round trip, too, and not the daemon's.
        "redis_round_trips_per_1000": (after.redis_reads - before.redis_reads - looks) / number * 1000,
    }


class _Servers:
    """The servers' own counters."""

    def __init__(self, client: "MongoClient[dict[str, Any]]", redis: Redis, database: str) -> None:
        self._client = client
        self._redis = redis
        self._database = client[database]

    def spent(self) -> _Spent:
        """Up to now."""
        requests = self._client.admin.command("serverStatus")["network"]["numRequests"]
        reads: Any = self._redis.info("stats")
        return _Spent(time.perf_counter(), _cpu_seconds(), int(requests), int(reads["total_reads_processed"]))

    def redis_bytes(self) -> int:
        """Bytes of all keys, every element counted."""
        keys: Any = self._redis.keys("*")
        return sum(int(self._redis.memory_usage(key, samples=0) or 0) for key in keys)

    def sizes(self, collection: str, number: int) -> dict[str, float]:
        """Of one document: as it is in memory, compressed on disk, its index entries."""
        self._client.admin.command("fsync")
        found = self._database.command("collStats", collection)
        assert found["count"] == number, (collection, found["count"])
        return {
            "mongo_data_bytes": found["size"] / number,
            "mongo_disk_bytes": found["storageSize"] / number,
            "mongo_index_bytes": found["totalIndexSize"] / number,
            "redis_bytes": 0.0,
        }


def _cpu_seconds() -> dict[str, float]:
    """User and system time so far of the programs that this process has started: servers and daemons."""
    spent: dict[str, float] = {}
    for process in psutil.Process().children(recursive=True):
        try:
            times, name, line = process.cpu_times(), process.name(), process.cmdline()
        except psutil.NoSuchProcess:
            continue
        label = PROGRAMS.get(name) or next((each for each in STAGES if each in line), name)
        spent[label] = spent.get(label, 0.0) + times.user + times.system
    return spent
