"""Cost against work: schedules, queued events and history, ten times as many at each step.

Run with `python -m tests.benchmarks growth [--quick] [--store mongo_redis|embedded] [--top N]`. `--top` is
the power of ten at which the history ends (7 takes some minutes and gigabytes). The exponent is the slope of
the line through the points in logarithms: 0 means that the cost does not grow, 1 that it grows as the work.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import log10
from statistics import linear_regression, median

from rrcli.core.ids import occurrence_id
from rrcli.core.models import Attempt, Event, EventState, Status
from rrcli.operations import schedules as operations
from rrcli.operations.context import Context
from rrcli.operations.window import scheduled_event
from rrcli.repository.base import QueueEntry
from rrcli_daemons.dispatcher import Dispatcher
from rrcli_daemons.prequeuer import Prequeuer
from tests.benchmarks.loads import daily, load, steps
from tests.benchmarks.results import Results
from tests.benchmarks.stores import KINDS, opened, place
from tests.benchmarks.tick import NOW, URL, interval, tick
from tests.support.clock import FakeClock

ROUNDS = 9
DUE = 100
PAGE = 50
BATCH = 5_000
OWNERS = 1_000
PURGE = 500
LEASE = timedelta(minutes=1)
CACHE = ("--wiredTigerCacheSizeGB", "1")

Work = Callable[[], object]
Costs = dict[str, list[tuple[float, float]]]


def main() -> None:
    """Three kinds of work on each store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the first steps only")
    parser.add_argument("--store", choices=KINDS, action="append")
    parser.add_argument("--top", type=int, default=7, help="the history ends at 10^N events")
    options = parser.parse_args()
    results = Results(name="growth", quick=options.quick)
    kinds: Mapping[str, tuple[Callable[[str, int], Costs], int]] = {
        "schedules": (schedules, 4 if options.quick else 6),
        "queued events": (queued, 4 if options.quick else 6),
        "archived events": (history, 5 if options.quick else options.top),
    }
    for kind in options.store or KINDS:
        for work, (measure, top) in kinds.items():
            report(results, kind, work, measure(kind, 10**top))
    results.save()


def report(results: Results, kind: str, work: str, costs: Costs) -> None:
    """A table with the exponents, and a curve for each operation."""
    sizes = sorted({size for points in costs.values() for size, _ in points})
    rows: list[list[str | int | float | None]] = []
    for name, points in costs.items():
        known = dict(points)
        rows.append([name, *(known.get(size) for size in sizes), exponent(points)])
        results.curve(f"{name}, {kind}", work=work, cost="ms", points=points)
    results.table(
        f"Cost against {work}, {kind}: ms",
        ("operation", *(f"{size:,.0f}" for size in sizes), "exponent"),
        rows,
        note=f"medians of {ROUNDS}",
    )


def exponent(points: list[tuple[float, float]]) -> float:
    """Slope of the line through the points in logarithms; 0 for a single one."""
    if len(points) < 2:
        return 0.0
    slope, _ = linear_regression([log10(work) for work, _ in points], [log10(cost) for _, cost in points])
    return float(slope)


def timed(work: Work) -> float:
    """Milliseconds of one call: the median of some."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1e3)
    return median(took)


def note(costs: Costs, size: int, **works: Work) -> None:
    """Measure each of the named operations at this size."""
    for name, work in works.items():
        costs.setdefault(name.replace("_", " "), []).append((float(size), timed(work)))


def schedules(kind: str, top: int) -> Costs:
    """A tick with 100 due, a page of the list, one schedule, and making one."""
    costs: Costs = {}
    clock = FakeClock(NOW)
    with place(kind, *CACHE) as where, opened(where, clock) as context:
        prequeuer = Prequeuer(context)
        tick(prequeuer, context)
        many = context.repository.schedules
        present = 0
        for size in steps(10**3, top):
            later = daily(NOW + timedelta(days=30), URL, every=timedelta(milliseconds=1))
            load(context.repository, later, size - present, first=present)
            present = size
            one = many.find(limit=1).items[0].id
            soon = daily(clock.now() + context.window, URL, every=interval(context) / DUE)
            load(context.repository, soon, DUE * ROUNDS)
            note(
                costs,
                size,
                tick_with_100_due=lambda: next_tick(prequeuer, context, clock),
                first_page_of_the_list=lambda: many.find(limit=PAGE),
                get_one=lambda: many.get([one]),  # noqa: B023
                create_one=lambda: operations.create(
                    context, {"name": "new", "rrule": "FREQ=YEARLY", "callback_url": URL}
                ),
            )
    return costs


def next_tick(prequeuer: Prequeuer, context: Context, clock: FakeClock) -> None:
    """Go on to the next tick, for which others are due."""
    clock.advance(interval(context))
    number = tick(prequeuer, context)
    assert number == DUE, number


def queued(kind: str, top: int) -> Costs:
    """Dispatching and claiming 100, a page of what is pending, and queueing 100 more."""
    costs: Costs = {}
    clock = FakeClock(NOW)
    with place(kind, *CACHE) as where, opened(where, clock) as context:
        repository = context.repository
        load(repository, daily(NOW + timedelta(days=30), URL, every=timedelta(seconds=1)), OWNERS)
        owners = [each.id for each in repository.schedules.find(limit=OWNERS).items]
        dispatcher = Dispatcher(context)
        present = 0
        for size in steps(10**2, top):
            enqueue(context, owners, NOW + timedelta(days=1), size - present, first=present)
            present = size
            note(
                costs,
                size,
                dispatch_100=lambda: next_due(dispatcher, clock),
                claim_100=lambda: repository.queues.claim("w", DUE, LEASE),
                first_page_of_pending=lambda: repository.events.pending(None, limit=PAGE),
                pending_of_one_schedule=lambda: repository.events.pending(owners[0], limit=PAGE),
            )
            held = repository.queues.held("w")
            repository.queues.acknowledge("w", held)
            repository.events.discard(held)
    return costs


def next_due(dispatcher: Dispatcher, clock: FakeClock) -> None:
    """Go on to where 100 others are due, and move them."""
    clock.advance(timedelta(seconds=1))
    before = dispatcher.counters()["dispatched"]
    dispatcher.run_once(clock.now())
    number = dispatcher.counters()["dispatched"] - before
    assert number == DUE, number


def enqueue(context: Context, owners: list[str], start: datetime, number: int, *, first: int) -> None:
    """Events far ahead, and those that the rounds to come will find due."""
    for begin in range(first, first + number, BATCH):
        many = range(begin, min(begin + BATCH, first + number))
        put(context, [(owners[each % OWNERS], start + timedelta(seconds=each // OWNERS)) for each in many])
    now = context.now()
    due = [
        (owner, now + timedelta(seconds=second)) for second in range(1, ROUNDS + 1) for owner in owners[:DUE]
    ]
    put(context, due)


def put(context: Context, occurrences: list[tuple[str, datetime]]) -> None:
    """Events in the ledger and the ready queue."""
    template = context.repository.schedules.find(limit=1).items[0]
    made = [
        Event(
            id=occurrence_id(owner, run_time),
            schedule_id=owner,
            run_time=run_time,
            due=run_time,
            revision=1,
            status=scheduled_event(template, run_time, run_time).status,
            created_at=run_time,
        )
        for owner, run_time in occurrences
    ]
    context.repository.events.add(made)
    context.repository.queues.add([QueueEntry(event_id=each.id, due=each.due) for each in made])


def history(kind: str, top: int) -> Costs:
    """Pages of the history of all and of one schedule, one event, and the purge of a batch."""
    costs: Costs = {}
    with place(kind, *CACHE) as where, opened(where, FakeClock(NOW)) as context:
        events = context.repository.events
        owners = [occurrence_id("owner", NOW, nonce=str(number)) for number in range(OWNERS)]
        present = 0
        for size in steps(10**4, top):
            archive(context, owners, present, size)
            present = size
            one = events.history(owners[0], limit=1).items[0].id
            note(
                costs,
                size,
                first_page=lambda: events.history(None, limit=PAGE),
                page_at_offset_5000=lambda: events.history(None, limit=PAGE, offset=5_000),
                first_page_of_one_schedule=lambda: events.history(owners[0], limit=PAGE),
                find_one=lambda: events.find(one),  # noqa: B023
            )
            # Last, since it takes some away: what `archive` put there for it.
            note(costs, size, purge_500=lambda: events.purge(NOW, PURGE))
    return costs


def archive(context: Context, owners: list[str], first: int, last: int) -> None:
    """Completed events, one a second of each owner; and old ones for the purge to come."""
    for begin in range(first, last, BATCH):
        made = [
            ended(owners[each % OWNERS], each // OWNERS) for each in range(begin, min(begin + BATCH, last))
        ]
        context.repository.events.archive(made, NOW)
    old = [ended(owners[each % OWNERS], -1 - last - each) for each in range(PURGE * ROUNDS)]
    context.repository.events.archive(old, NOW - timedelta(days=1))


def ended(owner: str, second: int) -> Event:
    """A completed event of one attempt."""
    run_time = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    return Event(
        id=occurrence_id(owner, run_time),
        schedule_id=owner,
        run_time=run_time,
        due=run_time,
        revision=1,
        status=tuple(
            Status(time=run_time, status=state, message=message)
            for state, message in (
                (EventState.READY, "Event pre-queued for ready queue"),
                (EventState.WORKER, "Due; handed to the workers"),
                (EventState.COMPLETED, "Event successfully processed"),
            )
        ),
        attempts=(Attempt(time=run_time, duration_ms=1.5, status_code=200, response="ok"),),
        lateness_ms=2.0,
        created_at=run_time,
    )


if __name__ == "__main__":
    main()
