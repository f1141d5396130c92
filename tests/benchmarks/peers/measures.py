"""What is measured of a peer: how fast it drains, what schedules cost it, how late it is."""

import math
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from rrcli.clock import SystemClock
from tests.benchmarks.peers import workloads
from tests.benchmarks.peers.arrivals import Arrival, Arrivals
from tests.benchmarks.peers.catalogue import Peer
from tests.benchmarks.peers.site import Site, site

LOOK_SECONDS = 0.05
LEAD_SECONDS = (9, 18, 36)
START_SECONDS = 4
"""A peer must be loaded and has so long to start before the first call is due, else it is tried once more."""
PER_SECOND = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How much of everything, and how long it may take."""

    drained: int = 10_000
    held: int = 100_000
    late_seconds: int = 10
    killed: int = 3_000
    minute_seconds: float = 60.0
    return_seconds: float = 75.0
    most_seconds: float = 90.0
    most_load_seconds: float = 90.0


QUICK = Sizes(
    drained=1_000,
    held=5_000,
    late_seconds=3,
    killed=500,
    minute_seconds=60.0,
    return_seconds=40.0,
    most_seconds=30.0,
    most_load_seconds=30.0,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receiver:
    """Where calls go, and what has come."""

    url: str
    arrivals: Arrivals
    folder: Path

    def await_until(self, run: str, enough: Callable[[int], bool], *, seconds: float) -> tuple[Arrival, ...]:
        """Arrivals of a run once there are enough of them. Raises TimeoutError."""
        deadline = time.perf_counter() + seconds
        while not enough(len(found := self.arrivals.of(run))):
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{len(found)} calls within {seconds:g} s")
            time.sleep(LOOK_SECONDS)
        return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drained:
    """Calls a second, and CPU milliseconds of a call: the peer's processes and servers, not the receiver."""

    per_second: float
    cpu_ms: float


def drain(peer: Peer, receiver: Receiver, sizes: Sizes) -> Drained:
    """Queue calls that are due, then start the peer; its start-up, measured with one call, is taken off."""
    one = _drain_seconds(peer, receiver, 1, sizes)
    all_ = _drain_seconds(peer, receiver, sizes.drained, sizes)
    more = sizes.drained - 1
    return Drained(
        per_second=more / max(all_[0] - one[0], 1e-3), cpu_ms=max(all_[1] - one[1], 0.0) / more * 1000
    )


def _drain_seconds(peer: Peer, receiver: Receiver, number: int, sizes: Sizes) -> tuple[float, float]:
    """Seconds from start to the last call, and CPU seconds until then."""
    run = f"drain-{number}-{peer.slug}"
    with site(peer) as place:
        path = workloads.due(receiver.folder / run, receiver.url, run, number)
        place.load("due", path, seconds=sizes.most_seconds)
        began, before = SystemClock().now().timestamp(), place.cpu_seconds()
        place.start()
        found = receiver.await_until(run, lambda came: came >= number, seconds=sizes.most_seconds)
        return max(each.came for each in found) - began, place.cpu_seconds() - before


@dataclass(frozen=True, kw_only=True, slots=True)
class Late:
    """Milliseconds from the nominal time to the first byte at the receiver."""

    p50_ms: float
    p99_ms: float


def lateness(peer: Peer, receiver: Receiver, sizes: Sizes) -> Late:
    """One-off calls at whole seconds to come, a hundred at each. Raises TimeoutError."""
    for lead in LEAD_SECONDS:
        if found := _late(peer, receiver, sizes, lead):
            percentiles = quantiles((each.late_ms for each in found), n=100)
            return Late(p50_ms=percentiles[49], p99_ms=percentiles[98])
    raise TimeoutError(f"not loaded {START_SECONDS} s before the first call, {lead} s away, was due")


def _late(peer: Peer, receiver: Receiver, sizes: Sizes, lead: int) -> tuple[Arrival, ...]:
    """The calls; none when loading took so long that the peer could not be up in time."""
    run = f"late-{lead}-{peer.slug}"
    number = sizes.late_seconds * PER_SECOND
    with site(peer) as place:
        first = math.ceil(SystemClock().now().timestamp()) + lead
        path = workloads.at(
            receiver.folder / run,
            receiver.url,
            run,
            first=first,
            seconds=sizes.late_seconds,
            per_second=PER_SECOND,
        )
        place.load("at", path, seconds=sizes.most_seconds)
        if first - SystemClock().now().timestamp() < START_SECONDS:
            return ()
        place.start()
        return receiver.await_until(run, lambda came: came >= number, seconds=sizes.most_seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """Schedules in place: seconds to get there."""

    place: Site
    run: str
    seconds: float


def load(place: Site, receiver: Receiver, sizes: Sizes) -> Loaded:
    """Put schedules in and wait until the peer is at rest; for those in code, that is its start."""
    run = f"hold-{place.peer.slug}"
    path = workloads.hold(receiver.folder / run, receiver.url, run, sizes.held)
    began = time.perf_counter()
    if not place.peer.in_code:
        place.load("hold", path, seconds=sizes.most_load_seconds)
    place.start(schedules=path)
    left = sizes.most_load_seconds - (time.perf_counter() - began)
    return Loaded(place=place, run=run, seconds=place.rest(seconds=left) - began)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What holding schedules costs."""

    load_seconds: float
    memory_mib: float
    store_mib: float
    minute_cpu_seconds: float
    called: int


class Minute:
    """CPU time and calls of one peer over a while that all peers share."""

    def __init__(self, loaded: Loaded, receiver: Receiver) -> None:
        self._loaded = loaded
        self._receiver = receiver
        self._cpu = loaded.place.cpu_seconds()
        self._calls = len(receiver.arrivals.of(loaded.run))

    def end(self) -> Held:
        """What it cost, up to now."""
        place = self._loaded.place
        return Held(
            load_seconds=self._loaded.seconds,
            minute_cpu_seconds=place.cpu_seconds() - self._cpu,
            called=len(self._receiver.arrivals.of(self._loaded.run)) - self._calls,
            memory_mib=place.memory_mib(),
            store_mib=place.store_mib(),
        )


FAILURES = (TimeoutError, subprocess.SubprocessError)
