"""One prequeuer tick: 1,000 schedules due in the window, of 10,000 and of 1,000,000.

Run with `python -m tests.benchmarks tick [--quick]`. The schedules are two years old and daily,
each with a rule text of its own, so that no rule is parsed twice.
"""

import argparse
import time
from datetime import UTC, datetime, timedelta
from statistics import median

from rrcli.operations.context import Context
from rrcli_daemons.prequeuer import Prequeuer
from tests.benchmarks.loads import ALL_UNLIKE, daily, load
from tests.benchmarks.results import Results
from tests.benchmarks.stores import KINDS, opened, place
from tests.support.clock import FakeClock

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "http://127.0.0.1:9/hook"
DUE = 1_000
TICKS = 9
SMALL, LARGE = 10_000, 1_000_000
MOST_SECONDS = 0.5
MOST_RATIO = 1.2


def main() -> None:
    """Load, tick, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the schedules")
    quick = parser.parse_args().quick
    large = LARGE // 10 if quick else LARGE
    results = Results(name="tick", quick=quick)
    rows: list[list[str | int | float]] = []
    for kind in KINDS:
        took: dict[int, float] = {}
        for number in (SMALL, large):
            loading, ticks, cpu = measure(kind, number)
            took[number] = median(ticks)
            milliseconds = (1e3 * seconds for seconds in (took[number], min(ticks), max(ticks), cpu))
            rows.append([f"{kind} {number:,}", *milliseconds, number / loading])
        ratio = took[large] / took[SMALL]
        results.target(
            f"tick with {large:,} schedules, {kind}",
            asked=f"<= {MOST_SECONDS} s, <= {MOST_RATIO}x of {SMALL:,} schedules",
            reached=f"{took[large]:.3f} s, {ratio:.2f}x",
            met=took[large] <= MOST_SECONDS and ratio <= MOST_RATIO,
        )
    results.table(
        f"Prequeuer tick that queues {DUE:,} due schedules",
        ("store, schedules", "tick ms", "min ms", "max ms", "own CPU ms", "loaded/s"),
        rows,
        note=f"median of {TICKS} ticks; daily rules two years old, no text twice; CPU of the prequeuer alone",
    )
    results.save()


def measure(kind: str, number: int) -> tuple[float, list[float], float]:
    """Seconds to load so many schedules, seconds of each tick, and median CPU seconds of one."""
    clock = FakeClock(NOW)
    with place(kind) as where, opened(where, clock) as context:
        began = time.perf_counter()
        fill(context, number)
        loading = time.perf_counter() - began
        prequeuer = Prequeuer(context)
        tick(prequeuer, context)
        walls, cpus = [], []
        for _ in range(TICKS):
            clock.advance(interval(context))
            cpu, began = time.process_time(), time.perf_counter()
            queued = tick(prequeuer, context)
            walls.append(time.perf_counter() - began)
            cpus.append(time.process_time() - cpu)
            assert queued == DUE, queued
    return loading, walls, median(cpus)


def interval(context: Context) -> timedelta:
    """Between two ticks, as the settings have it."""
    return timedelta(seconds=context.settings.prequeuer.ticker_interval_seconds)


def fill(context: Context, number: int) -> None:
    """`DUE` schedules that come into the window with each tick; all others are due long after."""
    soon = DUE * (TICKS + 1)
    start = NOW + context.window
    load(context.repository, daily(start, URL, every=interval(context) / DUE, ages=ALL_UNLIKE), soon)
    later = NOW + timedelta(hours=12)
    load(context.repository, daily(later, URL, every=timedelta(milliseconds=40)), number - soon, first=soon)


def tick(prequeuer: Prequeuer, context: Context) -> int:
    """Run the prequeuer until it has nothing to do; how many events it queued."""
    before = prequeuer.counters()["queued"]
    while (more := prequeuer.run_once(context.now())) is not None and more <= context.now():
        pass
    return int(prequeuer.counters()["queued"] - before)


if __name__ == "__main__":
    main()
