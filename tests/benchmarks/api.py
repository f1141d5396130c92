"""The REST service under gunicorn, beside bare Falcon handlers under the same gunicorn in the same run.

`python -m tests.benchmarks api`. What carries over to another machine is the ratio; CPU is that of all
processes of the service for one request.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from json import dumps, loads
from pathlib import Path
from statistics import median
from typing import TypeAlias
from urllib.request import Request, urlopen

import psutil

from rrcli.clock import SystemClock
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.benchmarks.draining import stores
from tests.benchmarks.http_load import load, request
from tests.benchmarks.results import Results
from tests.support.stack import environment, free_port, wait_until

CONFIGURATION = Path(__file__).parents[2] / "config" / "gunicorn.conf.py"
APPS = {"ours": "rrcli_api.wsgi:app", "bare": "tests.benchmarks.api_bare:app"}
KINDS = ("mongo_redis", "embedded")
DAY = timedelta(days=1)
OCCURRENCES = {"none in the window": DAY, "one in the window": timedelta(minutes=5)}
CONNECTIONS = 16
STORED = 100
"""Schedules that are asked for in turn. Each one that is posted has a rule that was never posted before."""

BATCH = 1000
READS = "bare, reads the rule"
WHOLE = "bare, all fields and a log line"
ASKED_RATIO, ASKED_BATCH = 0.8, 5000


@dataclass(frozen=True, slots=True)
class Figure:
    """One round of one kind of request."""

    per_second: float
    cpu_us: float


Figures: TypeAlias = dict[tuple[str, str], list[Figure]]
"""By request and whose handler, the rounds."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn."""

    port: int
    pid: int

    def measure(self, requests: list[str], count: int, *, each: int = 1, connections: int) -> Figure:
        """Rate and CPU per unit, where one request has `each` units. Fails on any answer but 2xx."""
        before = self._cpu()
        seen = load(self.port, requests, count, connections)
        assert all(status.startswith("2") for status in seen.statuses), seen.statuses
        units = count * each
        return Figure(units / seen.seconds, (self._cpu() - before) / units * 1e6)

    def _cpu(self) -> float:
        """Of the workers; the master does nothing but watch them."""
        times = [child.cpu_times() for child in psutil.Process(self.pid).children()]
        return sum(each.user + each.system for each in times)


@contextmanager
def serving(app: str, store: Settings) -> Iterator[Server]:
    """gunicorn with the product's own settings: two workers of four threads; its log goes to a file."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", str(CONFIGURATION), app]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, env=environment(store, API_PORT=str(port)), stdout=log, stderr=log
        )
        try:
            wait_until(lambda: _answers(port), what="the service's first answer")
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _ready(store: Settings) -> Settings:
    """The store, with its tables and indexes."""
    with open_repository(store) as repository:
        repository.init()
    return store


def _answers(port: int) -> bool:
    try:
        load(port, [request("GET", "/healthz")], 32, CONNECTIONS)
    except subprocess.CalledProcessError:
        return False
    return True


def schedule(number: int, *, first_in: timedelta, days: int = 1) -> dict[str, object]:
    """The schedule of the original's first example, with a start of its own."""
    start = SystemClock().now() + first_in + timedelta(seconds=number)
    return {
        "name": f"Daily Backup {number}",
        "rrule": f"DTSTART:{start:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=DAILY;INTERVAL={days}",
        "callback_url": "https://example.com/backup",
        "method": "POST",
        "headers": {"Authorization": "Bearer abc123", "Content-Type": "application/json"},
        "body": '{"task":"backup"}',
    }


def single(results: Results, kind: str, store: Settings, rounds: int, count: int) -> None:
    """POST and GET of one schedule, ours and bare in turn, and bare ones that do more of what ours does."""
    figures: Figures = {}
    with serving(APPS["bare"], store) as bare, serving(APPS["ours"], store) as ours:
        stored = [_create(ours.port, schedule(number, first_in=DAY, days=999)) for number in range(STORED)]
        get = [request("GET", f"/api/schedules/{each}") for each in stored]
        whole = [request("GET", f"/api/whole-schedules/{each}") for each in stored]
        for number in range(rounds + 1):
            bodies = [dumps(schedule(each, first_in=DAY, days=1 + number)) for each in range(count)]
            post = [request("POST", "/api/schedules", body) for body in bodies]
            ruled = [request("POST", "/api/ruled-schedules", body) for body in bodies]
            for what, name, server, requests in (
                ("GET", "bare", bare, get),
                ("GET", WHOLE, bare, whole),
                ("GET", "ours", ours, get),
                ("POST", "bare", bare, post),
                ("POST", READS, bare, ruled),
                ("POST", "ours", ours, post),
            ):
                figure = server.measure(requests, count, connections=CONNECTIONS)
                if number:  # the first round warms up
                    figures.setdefault((what, name), []).append(figure)
    rows = []
    for (what, name), measured in figures.items():
        ratios = _ratios(measured, figures[what, "bare"])
        reached = median(ratios)
        rows.append([f"{what} {name}", *_medians(measured), reached])
        if name == "ours":
            results.target(
                f"{what} of one schedule, {kind}, of a bare Falcon handler",
                asked=f">= {ASKED_RATIO}",
                reached=f"{reached:.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                met=reached >= ASKED_RATIO,
                why=_WHY[what](figures),
            )
    results.table(f"One schedule, {kind}", ["request", "requests/s", "CPU µs", "of bare"], rows)


def _why_post(figures: Figures) -> str:
    """What of a POST is the reading of its rule."""
    ruled, ours = figures["POST", READS], figures["POST", "ours"]
    bare, read, all_of_it = (_medians(each)[1] for each in (figures["POST", "bare"], ruled, ours))
    return (
        "a POST must read its rule to know the next run, and no rule comes twice here. Of the "
        f"{all_of_it - bare:.0f} µs of CPU beyond the bare handler's, {read - bare:.0f} µs are that; of a "
        f"bare handler that reads it, too, POST reaches {median(_ratios(ours, ruled)):.2f}."
    )


def _why_get(figures: Figures) -> str:
    """What a bare handler takes that answers and logs as much."""
    whole, ours = figures["GET", WHOLE], figures["GET", "ours"]
    bare, more, all_of_it = (_medians(each)[1] for each in (figures["GET", "bare"], whole, ours))
    return (
        "the bare handler shows eight fields, and nobody learns of the request. One that shows all fields "
        f"under a tag and writes a line to the log takes {more:.0f} µs of CPU instead of {bare:.0f}, ours "
        f"{all_of_it:.0f}; of that one GET reaches {median(_ratios(ours, whole)):.2f}."
    )


_WHY: dict[str, Callable[[Figures], str]] = {"GET": _why_get, "POST": _why_post}


def _medians(measured: list[Figure]) -> tuple[float, float]:
    return median(each.per_second for each in measured), median(each.cpu_us for each in measured)


def _ratios(ours: list[Figure], other: list[Figure]) -> list[float]:
    return [mine.per_second / theirs.per_second for mine, theirs in zip(ours, other, strict=True)]


def _create(port: int, body: dict[str, object]) -> str:
    sent = Request(
        f"http://127.0.0.1:{port}/api/schedules",
        dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(sent, timeout=30) as answer:
        return str(loads(answer.read())["id"])


def batches(results: Results, kind: str, fresh: Iterator[Settings], rounds: int, count: int) -> None:
    """`POST /api/schedules:batch`, with nothing to queue at once and with one occurrence each."""
    rows = []
    for what, first_in in OCCURRENCES.items():
        with serving(APPS["ours"], _ready(next(fresh))) as server:
            measured = [
                server.measure(_batches(count, first_in, turn), count, each=BATCH, connections=2)
                for turn in range(rounds + 1)
            ][1:]
        rate = median(each.per_second for each in measured)
        rows.append([f"{what} ({count} x {BATCH})", rate, median(each.cpu_us for each in measured)])
        if first_in >= timedelta(hours=1):
            results.target(
                f"POST /api/schedules:batch, {kind}, {what}",
                asked=f">= {ASKED_BATCH} schedules/s",
                reached=f"{rate:,.0f}",
                met=rate >= ASKED_BATCH,
            )
    results.table(f"Batches of {BATCH} schedules, {kind}", ["occurrences", "schedules/s", "CPU µs"], rows)


def _batches(count: int, first_in: timedelta, turn: int) -> list[str]:
    """Requests whose rules are in no other request; in one request, two schedules have the same."""
    made = []
    for number in range(turn * count, (turn + 1) * count):
        many = [schedule(each % (BATCH // 2), first_in=first_in, days=1 + number) for each in range(BATCH)]
        made.append(request("POST", "/api/schedules:batch", dumps({"schedules": many})))
    return made


def main() -> None:
    """Both stores, single requests and batches."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks api", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--store", choices=KINDS, action="append")
    chosen = parser.parse_args()
    results = Results(name="api", quick=chosen.quick)
    rounds, count, many = (2, 1000, 4) if chosen.quick else (15, 2000, 20)
    for kind in chosen.store or KINDS:
        with stores(embedded=kind == "embedded") as fresh:
            single(results, kind, _ready(next(fresh)), rounds, count)
            batches(results, kind, fresh, min(rounds, 5), many)
    results.save()


if __name__ == "__main__":
    main()
