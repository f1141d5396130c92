"""Filling a window: 100,000 occurrences of few dense schedules, and of many sparse ones, alike and unlike.

Run with `python -m tests.benchmarks prequeue [--quick]`.
"""

import argparse
import time
from datetime import UTC, datetime, timedelta

from rrcli_daemons.prequeuer import Prequeuer
from tests.benchmarks.loads import ALL_UNLIKE, Make, daily, load, secondly
from tests.benchmarks.processes import Cpu
from tests.benchmarks.results import Results
from tests.benchmarks.stores import KINDS, opened, place
from tests.benchmarks.tick import URL, tick
from tests.support.clock import FakeClock

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVENTS = 100_000
DENSE_EACH = 500
LEAST_PER_SECOND = 20_000


def main() -> None:
    """Fill the windows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the events")
    quick = parser.parse_args().quick
    events = EVENTS // 10 if quick else EVENTS
    loads: dict[str, tuple[Make, int]] = {
        "dense": (secondly(NOW, URL, count=DENSE_EACH), events // DENSE_EACH),
        "sparse": (daily(NOW, URL, every=timedelta(minutes=10) / events), events),
        "unlike": (daily(NOW, URL, every=timedelta(minutes=10) / events, ages=ALL_UNLIKE), events),
    }
    results = Results(name="prequeue", quick=quick)
    rows: list[list[str | int | float]] = []
    for kind in KINDS:
        for name, (make, schedules) in loads.items():
            seconds, cpu, servers = measure(kind, make, schedules, events)
            wall_us, own_us, servers_us = (each / events * 1e6 for each in (seconds, cpu, servers))
            rows.append([f"{kind}, {name}", schedules, events / seconds, own_us, servers_us])
            if kind == "mongo_redis" and name != "unlike":
                results.target(
                    f"filling a window with {events:,} occurrences of {schedules:,} schedules ({name})",
                    asked=f">= {LEAST_PER_SECOND:,} events/s",
                    reached=f"{events / seconds:,.0f} events/s",
                    met=events / seconds >= LEAST_PER_SECOND,
                    why=f"of the {wall_us:.0f} µs of an event, the prequeuer computes for {own_us:.0f}, one "
                    f"event after the other, and the servers for {servers_us:.0f}, partly at the same time; "
                    "with one event a schedule, each pays for a schedule's reading, search and watermark.",
                )
    results.table(
        f"A window of {events:,} occurrences, queued by one prequeuer",
        ("store, load", "schedules", "events/s", "own CPU µs per event", "servers' CPU µs per event"),
        rows,
        note="dense: 500 a schedule, every second; sparse: one a schedule, daily rules two years old, 600 "
        "texts in all; unlike: the same, no text twice, so that each is parsed",
    )
    results.save()


def measure(kind: str, make: Make, schedules: int, events: int) -> tuple[float, float, float]:
    """Seconds on the wall, of own CPU and of the servers' of one prequeuer filling an empty window."""
    clock = FakeClock(NOW - timedelta(minutes=9))
    with place(kind) as where, opened(where, clock) as context:
        prequeuer = Prequeuer(context)
        tick(prequeuer, context)
        load(context.repository, make, schedules)
        clock.advance(timedelta(minutes=9))
        before, cpu = Cpu.now(), time.process_time()
        queued = tick(prequeuer, context)
        cpu, after = time.process_time() - cpu, Cpu.now()
        assert queued == events, queued
        assert context.repository.queues.depths().ready == events
    return after.at - before.at, cpu, sum(after.per(1, before).values()) / 1e6


if __name__ == "__main__":
    main()
