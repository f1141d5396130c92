"""The whole way, schedule -> ready -> dispatch -> worker -> archive: how many events a second, for how long.

Run with `python -m tests.benchmarks flow [--quick] [--store mongo_redis|embedded] [--rates 4000,5000]`.
One prequeuer, dispatcher and worker as real processes with default settings, a local receiver, and as many
schedules that fire every second as the rate says. More schedules are added step by step, each time the
window is filled first; it ends at the first rate at which the backlog grows.
"""

import argparse
import time
from datetime import timedelta

from tests.benchmarks.loads import load, secondly
from tests.benchmarks.results import Results
from tests.benchmarks.running import Watched, daemons, wait_until_filled, watch
from tests.benchmarks.stores import KINDS, opened, place
from tests.benchmarks.target import target

RATES = (4_000, 5_000, 6_000)
ASKED = 4_000
SECONDS = 60
LEAD = timedelta(seconds=15)
FILLED_PER_SECOND = 12_000
"""About what a prequeuer queues: the first call is due when the window is nearly full."""
SETTLE_SECONDS = 10.0
NEARLY = 0.98
GROWTH = 0.1
"""A backlog that grows by more than this share of one second's events is not flat."""

CACHE = ("--wiredTigerCacheSizeGB", "2")


def main() -> None:
    """Step by step on each store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="ten seconds at 500 a second")
    parser.add_argument("--store", choices=KINDS, action="append")
    parser.add_argument("--rates", help="events a second, separated by commas")
    options = parser.parse_args()
    rates = tuple(int(each) for each in options.rates.split(",")) if options.rates else RATES
    results = Results(name="flow", quick=options.quick)
    for kind in options.store or KINDS:
        steps = run(kind, (500,) if options.quick else rates, 10 if options.quick else SECONDS)
        report(results, kind, steps)
    results.save()


def run(kind: str, rates: tuple[int, ...], seconds: int) -> dict[int, tuple[Watched, float]]:
    """By rate what was seen, and how long its window took to fill; ends with the first that grows."""
    seen: dict[int, tuple[Watched, float]] = {}
    with place(kind, *CACHE) as where, target() as url, opened(where) as context, daemons(where):
        present = 0
        for rate in rates:
            added = rate - present
            first_due = context.now() + LEAD + added * context.window / FILLED_PER_SECOND
            load(context.repository, secondly(first_due, url), added, first=present)
            present = rate
            filling = wait_until_filled(context)
            to_come = (first_due - context.now()).total_seconds()
            time.sleep(max(to_come, 0.0) + SETTLE_SECONDS)
            seen[rate] = watch(context, seconds), filling
            show(kind, rate, *seen[rate])
            if not is_flat(rate, seen[rate][0]):
                break
    return seen


def is_flat(rate: int, seen: Watched) -> bool:
    """Whether what comes due in a second is done in a second, and no more is left than at the start."""
    third = len(seen.samples) // 3
    grown = seen.left(slice(-third, None)) - seen.left(slice(0, third))
    return grown <= GROWTH * rate and seen.per_second >= NEARLY * rate


def show(kind: str, rate: int, seen: Watched, filling: float) -> None:
    """A line for whoever waits."""
    costs = ", ".join(f"{name} {cost:.0f}" for name, cost in seen.cpu_us.items())
    print(
        f"{kind} {rate:,}/s: {seen.per_second:,.0f}/s ended, filled in {filling:.0f} s, CPU µs {costs}",
        flush=True,
    )


def report(results: Results, kind: str, steps: dict[int, tuple[Watched, float]]) -> None:
    """The steps as a table, and the target."""
    rows: list[list[str | int | float]] = []
    for rate, (seen, _) in steps.items():
        third = len(seen.samples) // 3
        rows.append(
            [
                f"{rate:,}",
                seen.per_second,
                seen.left(slice(0, third)),
                seen.left(slice(-third, None)),
                max(each.oldest_due_seconds for each in seen.samples),
                "flat" if is_flat(rate, seen) else "grows",
                *(seen.cpu_us.get(name, 0.0) for name in ("prequeuer", "dispatcher", "worker")),
                seen.cpu_us.get("mongod", 0.0) + seen.cpu_us.get("redis", 0.0),
            ]
        )
    results.table(
        f"The whole way, {kind}, {max(len(seen.samples) for seen, _ in steps.values())} s each",
        (
            *("due/s", "ended/s", "left at first", "left at last", "oldest due s", "backlog"),
            *("prequeuer µs", "dispatcher µs", "worker µs", "servers µs"),
        ),
        rows,
        note="left: events due and not ended just before the next whole second, when as many again come "
        "due at once; means of the first and the last third. µs: CPU per event",
    )
    sustained = max((rate for rate, (seen, _) in steps.items() if is_flat(rate, seen)), default=0)
    results.target(
        f"whole way, {kind}, backlog flat for {SECONDS} s",
        asked=f">= {ASKED:,} events/s",
        reached=f"{sustained:,} events/s",
        met=sustained >= ASKED,
    )


if __name__ == "__main__":
    main()
