"""What a schedule and an event cost at each step: the parameters of docs/capacity.md, and what they foretell.

Run with `python -m tests.benchmarks.capacity [--quick]`. Real daemons on real servers, one at a time: the
others are stopped (SIGSTOP), so what the servers spend belongs to the one that runs. Then events a second and
bytes are measured again, at another size and with all daemons at once, beside what the model says.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import asdict
from statistics import median
from typing import Any

from rrcli.core.capacity import Figures, Size, Stage
from tests.benchmarks import staged
from tests.benchmarks.draining import stores
from tests.benchmarks.results import Results
from tests.benchmarks.target import target

SCHEDULES, ROUNDS = 20_000, 3
LARGER = 2
"""How many times the schedules there are when the model is tried."""
WITHIN = 0.2


def main() -> None:
    """Measure the parameters, then try them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round of fewer schedules")
    quick = parser.parse_args().quick
    schedules, rounds = (2000, 1) if quick else (SCHEDULES, ROUNDS)
    results = Results(name="capacity", quick=quick)
    with target() as url, stores(embedded=False) as fresh, stores(embedded=True) as files:
        measured, rates = [], []
        for _ in range(rounds):  # in turn, so that a busy machine slows both alike
            measured.append(staged.measure(next(fresh), url, schedules))
            rates.append(staged.flow(next(fresh), url, schedules * LARGER))
        sqlite = staged.sqlite_bytes(next(files), url, schedules)
        larger = staged.measure(next(fresh), url, schedules * LARGER)
        sqlite_larger = staged.sqlite_bytes(next(files), url, schedules * LARGER)
    figures = _figures(measured, sqlite)
    _show(results, figures)
    results.figures = {"model": asdict(figures)}
    _try(results, figures, schedules * LARGER, _median(rates), _figures([larger], sqlite_larger))
    results.save()


def _figures(measured: list[staged.Measured], sqlite: dict[str, float]) -> Figures:
    """Medians of the rounds."""
    stages = {
        name: Stage(**{cost: _median(each.stages[name][cost] for each in measured) for cost in staged.COSTS})
        for name in staged.STAGES
    }
    sizes = {
        name: Size(
            sqlite_bytes=sqlite[name],
            **{kind: _median(each.sizes[name][kind] for each in measured) for kind in staged.SIZES},
        )
        for name in staged.THINGS
    }
    return Figures(
        measured="",
        prequeue=stages["prequeuer"],
        dispatch=stages["dispatcher"],
        work=stages["worker"],
        receiver_cpu_us=_median(each.receiver_cpu_us for each in measured),
        schedule=sizes["schedule"],
        queued_event=sizes["queued_event"],
        finished_event=sizes["finished_event"],
    )


def _median(values: Any) -> float:
    return float(median(values))


def _show(results: Results, figures: Figures) -> None:
    named = {"prequeuer": figures.prequeue, "dispatcher": figures.dispatch, "worker": figures.work}
    results.table(
        "Time, for each event",
        (
            *("step", "busy µs", "own CPU µs", "mongod CPU µs", "Redis CPU µs"),
            *("MongoDB round trips per 1,000", "Redis round trips per 1,000"),
        ),
        [
            (
                *(name, stage.busy_us, stage.process_cpu_us, stage.mongod_cpu_us, stage.redis_cpu_us),
                *(stage.mongo_round_trips_per_1000, stage.redis_round_trips_per_1000),
            )
            for name, stage in named.items()
        ],
        note=f"The receiver takes {figures.receiver_cpu_us:.1f} µs of CPU a call. "
        "Every schedule has a rule of its own and one event.",
    )
    sizes = {
        "schedule": figures.schedule,
        "queued event": figures.queued_event,
        "finished event": figures.finished_event,
    }
    results.table(
        "Bytes",
        ("of each", "MongoDB document", "MongoDB on disk", "MongoDB indexes", "Redis", "SQLite, all"),
        [
            (
                *(name, size.mongo_data_bytes, size.mongo_disk_bytes, size.mongo_index_bytes),
                *(size.redis_bytes, size.sqlite_bytes),
            )
            for name, size in sizes.items()
        ],
        note="On disk means compressed (snappy), as MongoDB does it by default.",
    )


def _try(results: Results, figures: Figures, number: int, rate: float, larger: Figures) -> None:
    """Predictions beside what was measured at another size, with all daemons at once."""
    cores = os.cpu_count() or 1
    rows = [("events/s, schedule to archive", figures.flow_per_second(cores), rate)]
    for what, bytes_of in _STORES.items():
        rows.append((what, number * bytes_of(figures) / 2**20, number * bytes_of(larger) / 2**20))
    shown = [(what, model, real, model / real - 1) for what, model, real in rows]
    results.table(
        f"The model tried: {number:,} schedules, all daemons at once on {cores} cores",
        ("what", "predicted", "measured", "prediction is off by"),
        [(what, model, real, f"{off:+.0%}") for what, model, real, off in shown],
    )
    worst = max(abs(off) for *_, off in shown)
    results.target(
        "predictions of the capacity model",
        asked=f"within {WITHIN:.0%}",
        reached=f"off by {worst:.0%} at most",
        met=worst <= WITHIN,
    )


_STORES: dict[str, Callable[[Figures], float]] = {
    "MongoDB, MiB with all queued": lambda each: each.schedule.mongo_bytes + each.queued_event.mongo_bytes,
    "MongoDB, MiB with all finished": lambda each: (
        each.schedule.mongo_bytes + each.finished_event.mongo_bytes
    ),
    "Redis, MiB with all queued": lambda each: each.queued_event.redis_bytes,
    "SQLite, MiB with all finished": lambda each: (
        each.schedule.sqlite_bytes + each.finished_event.sqlite_bytes
    ),
}


if __name__ == "__main__":
    main()
