"""Filling a window: 100,000 occurrences of few dense schedules, and of many sparse ones, alike and unlike.

Run with `python -m tests.benchmarks prequeue [--quick]`.
"""

import argparse
import time
from datetime import UTC, datetime, timedelta

from rrcli_daemons.prequeuer import Prequeuer
from tests.benchmarks.loads import ALL_UNLIKE, Make, daily, load, secondly
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
            seconds, cpu = measure(kind, make, schedules, events)
            rows.append([f"{kind}, {name}", schedules, events / seconds, cpu / events * 1e6])
            if kind == "mongo_redis" and name != "unlike":
                results.target(
                    f"filling a window with {events:,} occurrences of {schedules:,} schedules ({name})",
                    asked=f">= {LEAST_PER_SECOND:,} events/s",
                    reached=f"{events / seconds:,.0f} events/s",
                    met=events / seconds >= LEAST_PER_SECOND,
                )
    results.table(
        f"A window of {events:,} occurrences, queued by one prequeuer",
        ("store, load", "schedules", "events/s", "own CPU µs per event"),
        rows,
        note="dense: 500 a schedule, every second; sparse: one a schedule, daily rules two years old, 600 "
        "texts in all; unlike: the same, no text twice, so that each is parsed",
    )
    results.save()


def measure(kind: str, make: Make, schedules: int, events: int) -> tuple[float, float]:
    """Wall and own CPU seconds of one prequeuer filling an empty window."""
    clock = FakeClock(NOW - timedelta(minutes=9))
    with place(kind) as where, opened(where, clock) as context:
        prequeuer = Prequeuer(context)
        tick(prequeuer, context)
        load(context.repository, make, schedules)
        clock.advance(timedelta(minutes=9))
        cpu, began = time.process_time(), time.perf_counter()
        queued = tick(prequeuer, context)
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        assert queued == events, queued
        assert context.repository.queues.depths().ready == events
    return wall, cpu


if __name__ == "__main__":
    main()
