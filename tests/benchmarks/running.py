"""The product's daemons as real processes on a store, watched from outside."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import mean

from rrcli.clock import SystemClock
from rrcli.operations.context import Context
from tests.benchmarks.loads import archived
from tests.benchmarks.processes import Cpu
from tests.benchmarks.stores import Place
from tests.support.stack import Stack, environment

PATIENCE_SECONDS = 60.0
PROGRESS = timedelta(seconds=5)
JUST_BEFORE = 0.97
DAEMONS = ("prequeuer", "dispatcher", "worker")


@contextmanager
def daemons(where: Place, *names: str, **extra: str) -> Iterator[Stack]:
    """Daemons by name, `worker-2` being a second worker; their log is in the store's folder."""
    stack = Stack(environment(where.settings, LOG_LEVEL="warn", **extra), where.folder / "daemons.log")
    try:
        for name in names or DAEMONS:
            stack.start(name)
        yield stack
    finally:
        stack.stop()


def wait_until_filled(context: Context) -> float:
    """Wait until the window is full, or fills no further; seconds that took. Fails far below that."""
    began = grown = time.perf_counter()
    full = context.window - timedelta(seconds=2 * context.settings.prequeuer.ticker_interval_seconds)
    most = timedelta(0)
    while first := context.repository.schedules.due(context.now() + full, 1):
        ahead = (first[0].next_run or context.now()) - context.now()
        if ahead > most + PROGRESS:
            most, grown = ahead, time.perf_counter()
        if time.perf_counter() - grown > PATIENCE_SECONDS:
            assert ahead > context.window * 0.4, "the window is never filled: the prequeuer does not keep up"
            break
        time.sleep(0.5)
    return time.perf_counter() - began


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """The queues just before a whole second: what is left of what came due until then."""

    worker: int
    in_flight: int
    oldest_due_seconds: float

    @property
    def left(self) -> int:
        return self.worker + self.in_flight


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """A stretch of time: events that ended, per second, the queues at each second, and CPU seconds."""

    seconds: float
    ended: int
    samples: Sequence[Sample]
    before: Cpu
    after: Cpu

    @property
    def per_second(self) -> float:
        return self.ended / self.seconds

    @property
    def cpu_us(self) -> dict[str, float]:
        """CPU µs per event of each process."""
        return self.after.per(self.ended, self.before)

    def left(self, part: slice) -> float:
        """What was left before the next second, on average over a part of the samples."""
        return mean(each.left for each in self.samples[part])


def watch(context: Context, seconds: int) -> Watched:
    """Look at the queues just before each whole second, and at the archive before and after."""
    queues = context.repository.queues
    _until_just_before_a_second()
    ended, before = archived(context.repository), Cpu.now()
    samples = []
    for _ in range(seconds):
        time.sleep(0.1)
        _until_just_before_a_second()
        depths, now = queues.depths(), context.now()
        late = (now - depths.oldest_due).total_seconds() if depths.oldest_due else 0.0
        samples.append(
            Sample(worker=depths.worker, in_flight=depths.in_flight, oldest_due_seconds=max(late, 0.0))
        )
    after = Cpu.now()
    return Watched(
        seconds=after.at - before.at,
        ended=archived(context.repository) - ended,
        samples=samples,
        before=before,
        after=after,
    )


def _until_just_before_a_second() -> None:
    time.sleep((JUST_BEFORE - SystemClock().now().microsecond / 1e6) % 1)
