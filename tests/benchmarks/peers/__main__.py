"""Our product beside its peers, in one run: `python -m tests.benchmarks.peers [--only NAME]... [--quick]`.

Each peer is installed from PyPI or npm into an environment of its own under build/peers, set up as its
documentation says, and given the same calls to make to the same receiver (nginx, which writes down when each
arrives). Every step has a time limit; what does not get there is shown as such.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from tests.benchmarks.peers import environments
from tests.benchmarks.peers.arrivals import LOG_FORMAT, Arrivals
from tests.benchmarks.peers.catalogue import PEERS, Peer
from tests.benchmarks.peers.killing import Survivor, kill_and_restart, outcome
from tests.benchmarks.peers.measures import QUICK, Minute, Receiver, Sizes, drain, lateness, load
from tests.benchmarks.peers.report import Found, fill
from tests.benchmarks.peers.site import site
from tests.benchmarks.results import Results
from tests.benchmarks.target import target

KILLED_SIDE_BY_SIDE = 2
TABLE_COLUMNS = "170"
"""Width of the tables, which no narrower one could show; COLUMNS says otherwise."""

T = TypeVar("T")


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ", ".join(peer.name for peer in PEERS)
    parser.add_argument("--only", action="append", metavar="NAME", help=f"begin of a name of {names}")
    parser.add_argument("--quick", action="store_true", help="less of everything; figures are not kept")
    chosen = parser.parse_args()
    sizes = QUICK if chosen.quick else Sizes()
    os.environ.setdefault("COLUMNS", TABLE_COLUMNS)
    peers = [peer for peer in PEERS if not chosen.only or _named(peer, chosen.only)]
    if not peers:
        parser.error(f"no such peer; there is {names}")
    found, ready = _installed(peers)
    results = Results(name="peers", quick=chosen.quick or bool(chosen.only))
    with tempfile.TemporaryDirectory(prefix="rrcli-peers-") as name:
        folder = Path(name)
        log = folder / "arrivals.log"
        try:
            with target(log=log, log_format=LOG_FORMAT) as url:
                _measure(ready, Receiver(url=url, arrivals=Arrivals(log), folder=folder), sizes)
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("Interrupted: what has been measured so far; nothing is kept.", file=sys.stderr)
            fill(results, found, sizes)
            return 130
    fill(results, found, sizes)
    print(f"Kept in {results.save()}")
    return 0


def _named(peer: Peer, wanted: Sequence[str]) -> bool:
    return any(peer.name.lower().startswith(name.lower()) for name in wanted)


def _installed(peers: Sequence[Peer]) -> tuple[list[Found], list[Found]]:
    """All peers, and those that can be measured."""
    found, ready = [], []
    for peer in peers:
        try:
            folder = environments.prepare(peer)
        except environments.NotInstalled as error:
            print(f"{peer.name} is left out: {error}", file=sys.stderr, flush=True)
            found.append(Found(peer=peer, version=""))
            continue
        ready.append(Found(peer=peer, version=environments.version(peer, folder)))
        found.append(ready[-1])
    return found, ready


def _measure(ready: Sequence[Found], receiver: Receiver, sizes: Sizes) -> None:
    """One measure after the other, of all peers; each time a peer has servers of its own."""
    for each in ready:
        each.drained = _tried("drain", each, sizes, lambda peer: drain(peer, receiver, sizes))
    for each in ready:
        each.late = _tried("lateness", each, sizes, lambda peer: lateness(peer, receiver, sizes))
    _hold(ready, receiver, sizes)
    _kill(ready, receiver, sizes)


def _hold(ready: Sequence[Found], receiver: Receiver, sizes: Sizes) -> None:
    """Load one after the other; the minute that is watched is the same for all, each beside the others."""
    with ExitStack() as stack:
        loaded = []
        for each in ready:
            place = stack.enter_context(site(each.peer))
            outcome_ = _tried("hold", each, sizes, lambda _peer: load(place, receiver, sizes))  # noqa: B023
            if isinstance(outcome_, str):
                each.held = outcome_
                place.kill()
            else:
                loaded.append((each, outcome_))
        minutes = [(each, Minute(one, receiver)) for each, one in loaded]
        time.sleep(sizes.minute_seconds)
        for each, minute in minutes:
            each.held = minute.end()


def _kill(ready: Sequence[Found], receiver: Receiver, sizes: Sizes) -> None:
    """Kill and start again, some side by side, for no speed is measured; then wait for what comes back."""
    cases = [(each, safe) for each in ready for safe in (False, True) if not safe or each.peer.safe]
    with ExitStack() as stack, ThreadPoolExecutor(KILLED_SIDE_BY_SIDE) as pool:

        def survive(case: tuple[Found, bool]) -> Survivor | str:
            each, safe = case
            what = "kill, safe settings" if safe else "kill"
            return _tried(
                what, each, sizes, lambda peer: kill_and_restart(stack, peer, receiver, sizes, safe=safe)
            )

        ended = list(zip(cases, pool.map(survive, cases), strict=True))
        time.sleep(sizes.return_seconds)
        for (each, safe), one in ended:
            killed = outcome(one, receiver) if isinstance(one, Survivor) else one
            if safe:
                each.killed_safe = killed
            else:
                each.killed = killed


def _tried(what: str, found: Found, sizes: Sizes, measure: Callable[[Peer], T]) -> T | str:
    """The measurement, or in words why there is none."""
    began = time.perf_counter()
    try:
        return measure(found.peer)
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        print(f"{found.peer.name}: {what}: {error}", file=sys.stderr, flush=True)
        return f"> {sizes.most_seconds:g} s"
    except subprocess.CalledProcessError as error:
        print(f"{found.peer.name}: {what}: {error}", file=sys.stderr, flush=True)
        return "failed"
    finally:
        print(f"{found.peer.name}: {what}, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
