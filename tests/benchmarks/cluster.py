"""The queues in partitions: one Redis against the three masters of a Redis Cluster, in the same run.

Run with `python -m tests.benchmarks cluster [--quick]`. MongoDB has no part in it. All servers and the client
share the machine's cores, so events a second cannot grow with the masters here; what each master has to do
for an event can be seen to shrink, and with it the load at which the busiest of them is full.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import psutil

from rrcli.core.ids import occurrence_id
from rrcli.repository.base import QueueEntry, Queues
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.benchmarks.results import Results
from tests.support.redis_cluster import RedisCluster, redis_cluster
from tests.support.servers import RedisServer, redis_server

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEASE = timedelta(minutes=10)
EVENTS = 60_000
ROUNDS = 5
# What the dispatcher moves in one pass, and what a worker claims at a time.
DISPATCH, CLAIM = 1000, 200
STEPS = ("add", "dispatch", "claim + ack")
SETUPS = (("1 Redis", 1), ("1 Redis", 6), ("3 masters", 3), ("3 masters", 6), ("3 masters", 12))


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one step in one round, per event: wall and CPU µs of the client, CPU µs of each server."""

    wall: float
    client: float
    servers: tuple[float, ...]


@dataclass(slots=True)
class Measured:
    """All rounds of one setup, by step."""

    costs: dict[str, list[Cost]] = field(default_factory=lambda: {step: [] for step in STEPS})

    def middle(self, value: Callable[[Cost], float], steps: Sequence[str] = STEPS) -> float:
        """The median over the rounds, summed over the steps."""
        return sum(statistics.median(value(cost) for cost in self.costs[step]) for step in steps)


def main() -> None:
    """Run every setup in turn, several times over, and show the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the events, two rounds")
    quick = parser.parse_args().quick
    events, rounds = (EVENTS // 10, 2) if quick else (EVENTS, ROUNDS)
    entries = [
        QueueEntry(event_id=occurrence_id("a" * 24, due), due=due)
        for due in (NOON + timedelta(milliseconds=10 * number) for number in range(events))
    ]
    measured = {setup: Measured() for setup in SETUPS}
    with redis_server() as single, redis_cluster() as cluster:
        for _ in range(rounds):
            for servers, partitions in SETUPS:
                run(
                    single if servers == "1 Redis" else cluster,
                    partitions,
                    entries,
                    measured[servers, partitions],
                )
    report(measured, Results(name="cluster", quick=quick), events, rounds)


def run(
    place: RedisServer | RedisCluster, partitions: int, entries: Sequence[QueueEntry], into: Measured
) -> None:
    """Every event goes the whole way once."""
    nodes = place.nodes if isinstance(place, RedisCluster) else (place,)
    settings = Settings()
    redis = replace(settings.redis, url=place.url, partitions=partitions)
    with ExitStack() as stack:
        for node in nodes:
            stack.enter_context(node.client()).flushall()
        store = stack.enter_context(
            open_repository(
                replace(settings, mongo=replace(settings.mongo, uri="mongodb://nowhere/"), redis=redis)
            )
        )
        queues = store.queues
        queues.depths()  # connected
        servers = [psutil.Process(node.pid) for node in nodes]
        with timed(servers, len(entries), into.costs["add"]):
            for start in range(0, len(entries), DISPATCH):
                queues.add(entries[start : start + DISPATCH])
        with timed(servers, len(entries), into.costs["dispatch"]):
            dispatched = dispatch(queues)
        with timed(servers, len(entries), into.costs["claim + ack"]):
            worked = work(queues)
    assert dispatched == worked == len(entries), "an event was lost or came twice"


def dispatch(queues: Queues) -> int:
    """What is due, as the dispatcher moves it."""
    moved = 0
    while due := queues.due(NOON + LEASE, DISPATCH):
        moved += queues.promote(due)
    return moved


def work(queues: Queues) -> int:
    """Claimed and acknowledged, as a worker does."""
    seen = 0
    while claimed := queues.claim("w", CLAIM, LEASE):
        queues.acknowledge("w", claimed)
        seen += len(claimed)
    return seen


@contextmanager
def timed(servers: Sequence[psutil.Process], events: int, into: list[Cost]) -> Iterator[None]:
    """Note what the block costs for each event."""
    own = psutil.Process()
    before = [cpu_seconds(process) for process in (own, *servers)]
    started = time.perf_counter()
    yield
    wall = time.perf_counter() - started
    client, *each = (
        (cpu_seconds(process) - spent) * 1e6 / events
        for process, spent in zip((own, *servers), before, strict=True)
    )
    into.append(Cost(wall * 1e6 / events, client, tuple(each)))


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def report(measured: dict[tuple[str, int], Measured], results: Results, events: int, rounds: int) -> None:
    """What one Redis has to do for an event, and what the busiest of three masters has left of it."""
    alone = measured[SETUPS[0]].middle(lambda cost: cost.servers[0])
    title = f"{events:,} events through the queues, one client, median of {rounds} rounds"
    names = {setup: f"{setup[0]}, {setup[1]} partitions" for setup in measured}
    results.table(
        f"{title}: rates of the machine",
        ("queues", *(f"{step}/s" for step in STEPS)),
        [
            [name, *(1e6 / measured[setup].middle(lambda cost: cost.wall, [step]) for step in STEPS)]
            for setup, name in names.items()
        ],
        note=f"dispatch {DISPATCH} at a time, claim {CLAIM}; all on the same {psutil.cpu_count()} cores",
    )
    busiest = {setup: each.middle(lambda cost: max(cost.servers)) for setup, each in measured.items()}
    results.table(
        f"{title}: CPU µs per event",
        ("queues", "client", "all servers", "busiest server", "of 1 Redis", "events/s where it is full"),
        [
            [
                name,
                measured[setup].middle(lambda cost: cost.client),
                measured[setup].middle(lambda cost: sum(cost.servers)),
                busiest[setup],
                busiest[setup] / alone,
                1e6 / busiest[setup],
            ]
            for setup, name in names.items()
        ],
        note="partitions fall on masters by the hash of their name: the more, the more evenly",
    )
    results.figures["busiest_of_one"] = {name: busiest[setup] / alone for setup, name in names.items()}
    results.save()


if __name__ == "__main__":
    main()
