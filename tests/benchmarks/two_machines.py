"""Two machines on one store: network namespaces with addresses of their own, joined by a virtual cable.

Run with `python -m tests.benchmarks two_machines [--quick]`; it needs Linux, `ip` and the right to make
namespaces (root), and says so where that is missing. The servers and the receiver are on the first machine.
Both machines share this one's cores, so this shows that nothing depends on being on one host - wake-ups,
claims, leases, clocks as read by each process - and not how it scales.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import quantiles

from rrcli.operations.context import Context
from rrcli.settings import Settings
from tests.benchmarks.loads import archived, load, secondly
from tests.benchmarks.results import Results
from tests.benchmarks.running import wait_until_filled
from tests.benchmarks.stores import Place, opened
from tests.benchmarks.target import target
from tests.support.servers import MongoServer, RedisServer
from tests.support.stack import Stack, environment

MACHINES = {"rrcli-bench-1": "10.77.81.1", "rrcli-bench-2": "10.77.81.2"}
FIRST, SECOND = MACHINES
CABLE = ("rrcli-cable-1", "rrcli-cable-2")
RATE = 200
SECONDS = 30
LEAD = timedelta(seconds=5)
SAMPLE = 1000
CASES = {
    "all on the first": {FIRST: ("prequeuer", "dispatcher", "worker")},
    "prequeuer and dispatcher on the second": {FIRST: ("worker",), SECOND: ("prequeuer", "dispatcher")},
    "a worker on each, dispatcher on the first": {
        FIRST: ("prequeuer", "dispatcher", "worker"),
        SECOND: ("worker-2",),
    },
    "a whole set on each": {
        FIRST: ("prequeuer", "dispatcher", "worker"),
        SECOND: ("prequeuer-2", "dispatcher-2", "worker-2"),
    },
}


def main() -> None:
    """Outside: make the machines and run this program again on the first. Inside: measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few seconds of each")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        measure_all(options.quick)
        return
    if why := impossible():
        print(f"Skipped: {why}.")
        return
    with machines():
        rest = ["--quick"] if options.quick else []
        command = [*on(FIRST), sys.executable, "-m", "tests.benchmarks.two_machines", "--inside", *rest]
        sys.exit(subprocess.run(command, check=False).returncode)


def impossible() -> str | None:
    """Why there can be no second machine here; None where there can."""
    if shutil.which("ip") is None:
        return "the program ip (iproute2) is not installed"
    probe = subprocess.run(["ip", "netns", "add", "rrcli-probe"], capture_output=True, text=True, check=False)
    if probe.returncode:
        return f"network namespaces cannot be made here: {probe.stderr.strip()}"
    subprocess.run(["ip", "netns", "delete", "rrcli-probe"], check=True)
    return None


def on(machine: str) -> tuple[str, ...]:
    """What is put before a command to run it there."""
    return ("ip", "netns", "exec", machine)


@contextmanager
def machines() -> Iterator[None]:
    """Two namespaces and the cable between them; gone at the end."""
    with ExitStack() as stack:
        for machine in MACHINES:
            ip("netns", "add", machine)
            stack.callback(ip, "netns", "delete", machine)
        ip("link", "add", CABLE[0], "type", "veth", "peer", "name", CABLE[1])
        for cable, (machine, address) in zip(CABLE, MACHINES.items(), strict=True):
            ip("link", "set", cable, "netns", machine)
            ip("-n", machine, "address", "add", f"{address}/24", "dev", cable)
            for device in ("lo", cable):
                ip("-n", machine, "link", "set", device, "up")
        yield


def ip(*arguments: str) -> None:
    """One change of the network. Raises CalledProcessError."""
    subprocess.run(["ip", *arguments], check=True)


class _OpenMongo(MongoServer):
    def command(self) -> list[str]:
        return [f"127.0.0.1,{MACHINES[FIRST]}" if each == "127.0.0.1" else each for each in super().command()]


class _OpenRedis(RedisServer):
    def command(self) -> list[str]:
        bound = [
            f"127.0.0.1 {MACHINES[FIRST]}" if each == "127.0.0.1" else each for each in super().command()
        ]
        return [*bound, "--protected-mode", "no"]


@contextmanager
def open_store() -> Iterator[Place]:
    """A store that both machines reach by the first one's address."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folders = [Path(name, part) for part in ("mongo", "redis")]
        for folder in folders:
            folder.mkdir()
        mongo, redis = _OpenMongo(folders[0]).start(), _OpenRedis(folders[1]).start()
        stack.callback(mongo.kill)
        stack.callback(redis.kill)
        here = MACHINES[FIRST]
        settings = replace(
            Settings(),
            mongo=replace(Settings().mongo, uri=f"mongodb://{here}:{mongo.port}/", database="bench"),
            redis=replace(Settings().redis, url=f"redis://{here}:{redis.port}/0"),
        )
        yield Place(kind="mongo_redis", settings=settings, folder=Path(name))


def measure_all(quick: bool) -> None:
    """Each way to spread the daemons, on a fresh store."""
    results = Results(name="two_machines", quick=quick)
    rows = [[name, *measure(spread, 5 if quick else SECONDS)] for name, spread in CASES.items()]
    results.table(
        f"{RATE} events/s evenly, the daemons on one machine or on two",
        ("daemons", "ended of due", "lateness p50 ms", "p99 ms", "calls by the second machine's worker"),
        rows,
        note="both machines share the same cores: what this shows is that nothing depends on one host. "
        f"Lateness: from due to the start of the call, of the newest {SAMPLE:,}",
    )
    results.save()


def measure(spread: dict[str, tuple[str, ...]], seconds: int) -> list[str | float]:
    """Share of the due events that ended, how late they were, and what the second machine called."""
    with open_store() as where, opened(where) as context, target([MACHINES[FIRST]]) as url:
        load(context.repository, secondly(context.now() + LEAD, url, jitter_seconds=1.0), RATE)
        with ExitStack() as stack:
            for machine, names in spread.items():
                daemons = Stack(environment(where.settings), where.folder / machine, command=on(machine))
                stack.callback(daemons.stop)
                for name in names:
                    daemons.start(name)
            wait_until_filled(context)
            time.sleep(2.0)
            began, ended = context.now(), archived(context.repository)
            time.sleep(seconds)
            done = archived(context.repository) - ended
            due = RATE * (context.now() - began).total_seconds()
            late = [
                event.lateness_ms or 0.0
                for event in context.repository.events.history(None, limit=SAMPLE).items
            ]
            by_second = share_of_second(context)
    cuts = quantiles(late, n=100)
    return [f"{done / due:.0%}", cuts[49], cuts[98], by_second]


def share_of_second(context: Context) -> str:
    """How much of the work the worker on the second machine did, by the heartbeats: in order of start."""
    beats = context.repository.heartbeats.list(context.now() - timedelta(minutes=1))
    workers = sorted((each for each in beats if each.daemon == "worker"), key=lambda each: each.started_at)
    done = [each.detail.get("completed", 0.0) for each in workers]
    return f"{done[1] / max(sum(done), 1):.0%}" if len(done) > 1 else ""


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "warn")
    main()
