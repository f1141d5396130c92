"""What is lost when everything of a peer is killed in the middle of draining, and then started again."""

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass

import redis

from rrcli.clock import SystemClock
from tests.benchmarks.peers import workloads
from tests.benchmarks.peers.catalogue import Peer
from tests.benchmarks.peers.measures import Receiver, Sizes
from tests.benchmarks.peers.site import Site, site
from tests.support import servers

KILL_AT = 0.1
"""This share of the calls has arrived when the peer is killed."""
QUIET_SECONDS = 3.0
FLUSH_SECONDS = 0.1
"""After which the receiver's log is complete."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Killed:
    """Calls that never came, of which the store still holds some; calls that came more than once."""

    missing: int
    held: int
    doubled: int
    last_seconds: float
    """From the kill to the last new call."""

    @property
    def lost(self) -> int:
        """At least so many: nothing knows of them any more."""
        return max(self.missing - self.held, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Survivor:
    """A peer that has been killed and runs again."""

    place: Site
    run: str
    calls: int
    killed_at: float


def kill_and_restart(
    stack: ExitStack, peer: Peer, receiver: Receiver, sizes: Sizes, *, safe: bool
) -> Survivor:
    """Drain, kill, start again, and wait until calls stop coming; it goes on running as long as `stack`."""
    run = f"kill-{'safe' if safe else 'default'}-{peer.slug}"
    place = stack.enter_context(site(peer, safe=safe))
    path = workloads.due(receiver.folder / run, receiver.url, run, sizes.killed)
    place.load("due", path, seconds=sizes.most_seconds)
    place.start()
    enough = int(sizes.killed * KILL_AT)
    receiver.await_until(run, lambda came: came >= enough, seconds=sizes.most_seconds)
    place.kill()
    killed_at = SystemClock().now().timestamp()
    time.sleep(FLUSH_SECONDS)
    if len(receiver.arrivals.of(run)) >= sizes.killed:
        raise TimeoutError("it had finished before it could be killed")
    place.start()
    _await_quiet(receiver, run, sizes)
    return Survivor(place=place, run=run, calls=sizes.killed, killed_at=killed_at)


def _await_quiet(receiver: Receiver, run: str, sizes: Sizes) -> None:
    """Until all have come, or none for a while; the new start takes one, too."""
    deadline = time.perf_counter() + sizes.most_seconds
    came, since = 0, time.perf_counter() + QUIET_SECONDS
    while time.perf_counter() < deadline:
        time.sleep(0.2)
        now_came = len({each.id for each in receiver.arrivals.of(run)})
        if now_came != came:
            came, since = now_came, time.perf_counter()
        if came >= sizes.killed or time.perf_counter() - since > QUIET_SECONDS:
            return


def outcome(survivor: Survivor, receiver: Receiver) -> Killed:
    """As of now."""
    times: Counter[str] = Counter()
    last = survivor.killed_at
    for each in receiver.arrivals.of(survivor.run):
        times[each.id] += 1
        if times[each.id] == 1:
            last = max(last, each.came)
    return Killed(
        missing=survivor.calls - len(times),
        held=_held(survivor.place),
        doubled=sum(count > 1 for count in times.values()),
        last_seconds=last - survivor.killed_at,
    )


def _held(place: Site) -> int:
    """Calls in its store that have not been made, or not been acknowledged."""
    found = 0
    for server in place.servers:
        if isinstance(server, servers.RedisServer):
            with redis.Redis(port=server.port) as client:
                found += sum(_length(client, key) for key in place.peer.remains)
        if isinstance(server, servers.MongoServer):
            with server.client() as client:
                collections = [client["peer"][name] for name in place.peer.remains]
                found += sum(each.count_documents({"lastFinishedAt": None}) for each in collections)
    return found


def _length(client: "redis.Redis", key: str) -> int:
    sizes = {b"list": client.llen, b"hash": client.hlen, b"zset": client.zcard}
    kind = client.type(key)
    return int(sizes[kind](key)) if kind in sizes else 0
