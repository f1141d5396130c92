"""How late calls are: from the instant at which an event is due to the first byte at the receiver.

Run with `python -m tests.benchmarks lateness [--quick] [--rates 200,2000]`. Real processes with default
settings. A rule's occurrences lie on whole seconds; with a jitter of one second each schedule has its own
instant within the second, so that calls are due evenly, and lateness is counted from there. The same rate
all at once, at the whole second, is shown beside it: then it is the time to make all those calls.
"""

import argparse
import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import quantiles

from rrcli.core.models import Event
from rrcli.core.policies import jitter
from rrcli.operations.context import Context
from tests.benchmarks.flow import CACHE
from tests.benchmarks.loads import load, secondly
from tests.benchmarks.results import FOLDER, Results
from tests.benchmarks.running import daemons, wait_until_filled
from tests.benchmarks.stopwatch import Call, stopwatch
from tests.benchmarks.stores import KINDS, opened, place

RATE = 200
SUSTAINED = 4_000
SECONDS = 60
LEAD = timedelta(seconds=10)
SETTLE_SECONDS = 10.0
P50_MS, P99_MS = 5.0, 25.0
SAMPLE = 1000


def main() -> None:
    """Each rate on each store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="ten seconds at 200 a second")
    parser.add_argument("--store", choices=KINDS, action="append")
    parser.add_argument("--rates", help="events a second, separated by commas")
    options = parser.parse_args()
    results = Results(name="lateness", quick=options.quick)
    rows: list[list[str | int | float]] = []
    for kind in options.store or KINDS:
        half = sustained(kind) // 2
        rates = [int(each) for each in options.rates.split(",")] if options.rates else [RATE, half]
        cases = [(rate, 1.0) for rate in (rates[:1] if options.quick else rates)]
        if not options.quick:
            cases.append((rates[0], 0.0))
        for rate, spread in cases:
            late, steps = measure(kind, rate, spread, 10 if options.quick else SECONDS)
            p50, p99 = percentile(late, 50), percentile(late, 99)
            how = "evenly" if spread else "at once"
            rows.append([f"{kind} {rate:,}/s {how}", p50, percentile(late, 90), p99, max(late), *steps])
            if spread:
                results.target(
                    f"lateness at {rate:,} events/s, {kind}",
                    asked=f"p50 <= {P50_MS:.0f} ms, p99 <= {P99_MS:.0f} ms",
                    reached=f"p50 {p50:.1f} ms, p99 {p99:.1f} ms",
                    met=p50 <= P50_MS and p99 <= P99_MS,
                )
    results.table(
        "From due to the first byte at the receiver",
        ("load", "p50 ms", "p90 ms", "p99 ms", "max ms", "dispatched p50 ms", "started p50 ms"),
        rows,
        note="dispatched and started: when the dispatcher and the worker had it, as the ledger says",
    )
    results.save()


def sustained(kind: str) -> int:
    """What the benchmark `flow` has found last; its target where it did not run."""
    try:
        record = json.loads((FOLDER / "flow.json").read_text(encoding="utf-8"))
    except OSError:
        return SUSTAINED
    found = [each["reached"] for each in record["targets"] if f", {kind}," in each["what"]]
    return int(found[0].split()[0].replace(",", "")) if found else SUSTAINED


def measure(kind: str, rate: int, spread: float, seconds: int) -> tuple[list[float], tuple[float, float]]:
    """Lateness of every call in ms, and the medians of when it was dispatched and started."""
    with place(kind, *CACHE) as where, opened(where) as context, stopwatch(where.folder) as receiver:
        make = secondly(context.now() + LEAD, receiver.url, jitter_seconds=spread)
        load(context.repository, make, rate)
        with daemons(where):
            wait_until_filled(context)
            time.sleep(SETTLE_SECONDS)
            begin = context.now()
            time.sleep(seconds)
            steps = story(context, spread)
        calls = [each for each in receiver.calls() if each.run_time >= begin]
    assert len(calls) >= rate * (seconds - 2) * 0.9, f"only {len(calls)} calls came"
    return [lateness_ms(each, spread) for each in calls], steps


def lateness_ms(call: Call, spread: float) -> float:
    """From the instant at which it was due to its first byte."""
    due = call.run_time + jitter(call.schedule_id, call.run_time, spread)
    return (call.came - due.timestamp()) * 1e3


def story(context: Context, spread: float) -> tuple[float, float]:
    """Median ms from due to the dispatcher's step, and to the start of the call, of the newest events."""
    events = context.repository.events.history(None, limit=SAMPLE).items

    def median_ms(instants: Sequence[tuple[Event, datetime]]) -> float:
        late = [instant - due_of(event, spread) for event, instant in instants]
        return percentile([each.total_seconds() * 1e3 for each in late], 50)

    dispatched = [(event, event.status[1].time) for event in events if len(event.status) > 1]
    started = [(event, event.attempts[0].time) for event in events if event.attempts]
    return median_ms(dispatched), median_ms(started)


def due_of(event: Event, spread: float) -> datetime:
    """The nominal time and the schedule's jitter."""
    return event.run_time + jitter(event.schedule_id, event.run_time, spread)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which so many percent lie."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    main()
