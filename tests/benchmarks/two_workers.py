"""One worker process, two, and three on one store: events/s, and what each process takes of the machine.

Run with `python -m tests.benchmarks two_workers [--quick]`. All share the machine's cores: where all of them
are busy, more workers cannot help, and the CPU bill says which server comes next.
"""

import argparse
import os
from statistics import median

from tests.benchmarks.draining import Drained, Work, drain, stores
from tests.benchmarks.results import Results
from tests.benchmarks.target import target

EVENTS = 20_000
EACH = 20
ROUNDS = 3
WORKERS = (1, 2, 3)
PROGRAMS = ("worker", "mongod", "redis", "nginx")


def main() -> None:
    """Both stores, worker by worker."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round of fewer events")
    quick = parser.parse_args().quick
    results = Results(name="two_workers", quick=quick)
    for embedded in (False, True):
        report(results, "embedded" if embedded else "mongo_redis", measured(embedded, quick))
    results.save()


def measured(embedded: bool, quick: bool) -> dict[int, list[Drained]]:
    """By number of workers, round by round, so that the rounds are alike."""
    events = EVENTS // 5 if quick else EVENTS
    found: dict[int, list[Drained]] = {number: [] for number in WORKERS}
    with target() as url, stores(embedded=embedded) as fresh:
        work = Work(schedules=events // EACH, each=EACH, urls=[url])
        for _ in range(1 if quick else ROUNDS):
            for number, seen in found.items():
                seen.append(drain(next(fresh), work, workers=number))
    return found


def report(results: Results, kind: str, found: dict[int, list[Drained]]) -> None:
    """Rates, and the cores that each program kept busy."""
    alone = median(each.events_per_second for each in found[1])
    rows: list[list[str | int | float]] = []
    for number, seen in found.items():
        rate = median(each.events_per_second for each in seen)
        cpu = {name: median(each.cpu_us.get(name, 0.0) for each in seen) for name in PROGRAMS}
        busy = {name: spent * rate / 1e6 for name, spent in cpu.items()}
        rows.append([number, rate, rate / alone, *busy.values(), sum(busy.values())])
    results.table(
        f"Workers side by side, {kind}",
        ("workers", "events/s", "of one", *(f"{name} cores" for name in PROGRAMS), "cores in all"),
        rows,
        note=f"medians; the machine has {os.cpu_count()} cores. Cores: CPU seconds per second, of all "
        "workers together",
    )
    if "mongod" in PROGRAMS and kind == "mongo_redis":
        most = max(PROGRAMS[1:], key=lambda name: rows[-1][3 + PROGRAMS.index(name)])
        print(f"Of the servers, {most} takes most of the machine.")


if __name__ == "__main__":
    main()
