"""Where the prequeuer's time goes: windows of dense schedules, and of sparse ones, alike and unlike.

Run with `python -m tests.benchmarks prequeuer-profile [--quick]`.
"""

import argparse
import cProfile
import pstats
from datetime import timedelta
from unittest.mock import patch

from rrcli.operations.rules import parse
from rrcli.operations.window import EVENTS_PER_PASS
from rrcli_daemons import prequeuer as prequeuers
from rrcli_daemons.prequeuer import Pace, Prequeuer
from tests.benchmarks.loads import ALL_UNLIKE, Make, daily, load, secondly
from tests.benchmarks.prequeue import DENSE_EACH, NOW
from tests.benchmarks.results import Results
from tests.benchmarks.stores import KINDS, opened, place
from tests.benchmarks.tick import URL, tick
from tests.support.clock import FakeClock

EVENTS = 10_000
LINES = 20
AREAS = (  # the first whose text is in a function's place names its area
    (
        "recurrence: parsing",
        ("recurrence/text", "recurrence/parts", "recurrence/components"),
    ),
    ("recurrence: finding occurrences", ("core/recurrence",)),
    ("ids, events, policies", ("core/", "rrcli/clock", "operations/")),
    ("records to documents and back", ("_documents", "_rows", "bson", "json", "_cbson")),
    ("waiting for a server, or SQLite at work", ("socket", "sqlite3", "select", "recv", "sendall")),
    ("drivers", ("pymongo", "redis")),
    ("our repository", ("rrcli/repository",)),
)
OTHER = "the rest"
ONE_BY_ONE = Pace(events=EVENTS_PER_PASS, rest=0.0, parts=1)
NEXT = (
    "The next 2x: dense windows are made of events, ids and documents, one by one; a document that C makes "
    "of a template of its schedule would save most of that. Rules that are all unlike are half of their own "
    "cost: the text is read and the days of a year are laid out for a single occurrence; a rule stored in a "
    "form that needs neither would save it. One process computes on one processor; several share a window."
)

Place = tuple[str, int, str]


def main() -> None:
    """All loads on both stores."""
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
    results = Results(name="prequeuer-profile", quick=quick)
    shares: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        for name, (make, schedules) in loads.items():
            stats = profiled(kind, make, schedules)
            shares[f"{kind} {name}"] = areas(stats, events)
            if kind == KINDS[0]:
                results.table(
                    f"Prequeuer, {kind}, {name}: the dearest functions",
                    ("function", "calls per event", "own µs per event", "with callees µs per event"),
                    dearest(stats, events),
                )
    results.table(
        "Prequeuer: µs per event by area",
        ("area", *shares),
        [[area, *(each.get(area, 0.0) for each in shares.values())] for area in (*dict(AREAS), OTHER)],
        note=f"cProfile, which makes small functions seem up to twice as dear; waiting included. {NEXT}",
    )
    results.save()


def profiled(kind: str, make: Make, schedules: int) -> dict[Place, tuple[int, int, float, float, object]]:
    """The functions of one prequeuer that fills an empty window."""
    clock = FakeClock(NOW - timedelta(minutes=9))
    watch = cProfile.Profile()
    with place(kind) as where, opened(where, clock) as context:
        prequeuer = Prequeuer(context)
        tick(prequeuer, context)
        load(context.repository, make, schedules)
        clock.advance(timedelta(minutes=9))
        parse.cache_clear()
        # A profile sees one thread: then that one does all.
        with patch.multiple(prequeuers, FILLING=ONE_BY_ONE, TOPPING_UP=ONE_BY_ONE):
            watch.enable()
            tick(prequeuer, context)
            watch.disable()
    stats: dict[Place, tuple[int, int, float, float, object]] = pstats.Stats(watch).stats  # type: ignore[attr-defined]
    return stats


def areas(stats: dict[Place, tuple[int, int, float, float, object]], events: int) -> dict[str, float]:
    """Own µs per event, added up by area."""
    spent: dict[str, float] = {}
    for (file, _, name), (_, _, own, _, _) in stats.items():
        label = f"{file}:{name}"
        area = next((area for area, texts in AREAS if any(text in label for text in texts)), OTHER)
        spent[area] = spent.get(area, 0.0) + own / events * 1e6
    return spent


def dearest(
    stats: dict[Place, tuple[int, int, float, float, object]], events: int
) -> list[list[str | int | float]]:
    """The functions that took most themselves."""
    found = sorted(stats.items(), key=lambda item: -item[1][2])[:LINES]
    return [
        [place_of(*where), calls / events, own / events * 1e6, total / events * 1e6]
        for where, (_, calls, own, total, _) in found
    ]


def place_of(file: str, line: int, name: str) -> str:
    """A function's name, and the last parts of where it stands."""
    return name if file == "~" else f"{'/'.join(file.split('/')[-2:])}:{line} {name}"


if __name__ == "__main__":
    main()
