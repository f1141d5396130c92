"""Memory of each daemon, idle and with a million schedules; bytes that the stores need for each record.

Run with `python -m tests.benchmarks memory [--quick]`. The daemons are real processes (`rrcli daemon NAME`
becomes that process). MB are 10^6 bytes of resident memory, the most that was seen.
"""

import argparse
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from typing import Any

from pymongo import MongoClient
from redis import Redis

from rrcli.clock import SystemClock
from rrcli_daemons.prequeuer import Prequeuer
from tests.benchmarks.loads import daily, load
from tests.benchmarks.processes import rss_mb, started
from tests.benchmarks.results import Results
from tests.benchmarks.running import DAEMONS, daemons, wait_until_filled
from tests.benchmarks.stores import KINDS, Place, opened, place
from tests.benchmarks.target import target
from tests.benchmarks.tick import tick
from tests.support.clock import FakeClock

SCHEDULES, EVENTS = 1_000_000, 100_000
IDLE_SECONDS, BUSY_SECONDS = 8, 75
IDLE_MB, BUSY_MB = 80.0, 150.0
LEAD = timedelta(minutes=3)

Bytes = dict[str, float]


def main() -> None:
    """Idle daemons, then a full store, then daemons on the full store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a hundredth of the schedules and events")
    quick = parser.parse_args().quick
    results = Results(name="memory", quick=quick)
    rows: list[list[str | float]] = []
    for kind in KINDS:
        idle, busy, stored = measure(kind, 100 if quick else 1)
        rows += [[f"{kind} {name}", idle[name], busy[name]] for name in DAEMONS]
        for what, seen, most in (("idle", idle, IDLE_MB), ("full", busy, BUSY_MB)):
            worst = max(seen, key=lambda name: seen[name])
            results.target(
                f"memory of each daemon, {what}, {kind}",
                asked=f"<= {most:.0f} MB",
                reached=f"{seen[worst]:.0f} MB ({worst})",
                met=seen[worst] <= most,
            )
        columns = ("part", *stored)
        parts = {part for each in stored.values() for part in each}
        results.table(
            f"Bytes for each record, {kind}",
            columns,
            [[part, *(each.get(part) for each in stored.values())] for part in sorted(parts)],
            note="the store's growth over the number of records; a schedule has a body of 31 bytes",
        )
    results.table(
        "Resident memory of the daemons",
        ("daemon", "idle MB", "full MB"),
        rows,
        note=f"full: {SCHEDULES:,} schedules, {EVENTS:,} queued events, {BUSY_SECONDS} s of calls",
    )
    results.save()


def measure(kind: str, part: int) -> tuple[dict[str, float], dict[str, float], dict[str, Bytes]]:
    """MB of each daemon idle and busy, and bytes of each kind of record."""
    schedules, events = SCHEDULES // part, EVENTS // part
    with place(kind) as where, target() as url:
        with opened(where), daemons(where):
            idle = most_seen(IDLE_SECONDS)
        stored = fill(where, url, schedules, events)
        with opened(where) as context, daemons(where):
            wait_until_filled(context)
            busy = most_seen(BUSY_SECONDS // min(part, 5))
    return idle, busy, stored


def most_seen(seconds: int) -> dict[str, float]:
    """The most resident memory of each daemon, looked at every half second."""
    most = dict.fromkeys(DAEMONS, 0.0)
    for _ in range(seconds * 2):
        time.sleep(0.5)
        running = started()
        most = {name: max(seen, rss_mb(running[name])) for name, seen in most.items()}
    return most


def fill(where: Place, url: str, schedules: int, events: int) -> dict[str, Bytes]:
    """Schedules of which some lie in the window, and their events; bytes of each, by part of the store."""
    start = SystemClock().now() + LEAD
    clock = FakeClock(start)
    with opened(where, clock) as context:
        empty = sizes(where)
        load(context.repository, daily(start, url, every=context.window / events), events)
        later = start + timedelta(hours=6)
        rest = daily(later, url, every=timedelta(milliseconds=40))
        load(context.repository, rest, schedules - events, first=events)
        loaded = sizes(where)
        queued = tick(Prequeuer(context), context)
        full = sizes(where)
    return {
        "bytes per schedule": growth(empty, loaded, schedules),
        "bytes per queued event": growth(loaded, full, queued),
    }


def growth(before: Bytes, after: Bytes, number: int) -> Bytes:
    """What each record took, where it took anything."""
    grown = {part: (after[part] - before.get(part, 0.0)) / number for part in after}
    return {part: size for part, size in grown.items() if size >= 1}


def sizes(where: Place) -> Bytes:
    """Bytes of each part of the store, everything written to its files."""
    if where.kind == "embedded":
        (database,) = where.folder.glob("*.db")
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return {"file": float(database.stat().st_size)}
    found: Bytes = {}
    client: MongoClient[dict[str, Any]]
    with MongoClient(where.settings.mongo.uri) as client:
        client.admin.command("fsync")
        database = client[where.settings.mongo.database]
        for name in ("schedules", "events"):
            stats = database.command("collStats", name)
            found |= {
                f"mongo {name}, data": float(stats["size"]),
                f"mongo {name}, on disk": float(stats["storageSize"]),
            }
            for index, size in stats.get("indexSizes", {}).items():
                found[f"mongo {name}, index {index}"] = float(size)
    with Redis.from_url(where.settings.redis.url or "") as redis:
        memory: Any = redis.info("memory")
        found["redis memory"] = float(memory["used_memory"])
    return found


if __name__ == "__main__":
    main()
