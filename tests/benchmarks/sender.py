"""Requests a second and CPU per request of the Sender, beside a bare CurlMulti loop in the same run.

Run with `python -m tests.benchmarks.sender [REQUESTS] [--quick]`; the ratio carries over to other machines.
"""

import argparse
import resource
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import pycurl

from rrcli.clock import SystemClock
from rrcli.core.request import Request
from rrcli.settings import WorkerSettings
from rrcli_daemons.addresses import AddressPolicy
from rrcli_daemons.sender import Sender
from tests.benchmarks.results import Results
from tests.benchmarks.target import target

ROUNDS = 5
HEADERS = {
    "user-agent": "rrule-scheduler/0",
    "webhook-id": "evt_0123456789abcdef",
    "webhook-timestamp": "1764000000",
    "x-rrule-schedule-id": "sch_0123456789abcdef",
    "x-rrule-run-time": "2026-11-23T12:00:00Z",
    "x-rrule-attempt": "1",
    "content-type": "application/json",
}
BODY = b'{"job": "report", "tenant": 42}'


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement."""

    requests_per_second: float
    cpu_us: float


def main() -> None:
    """Measure both, alternating, and show the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("requests", nargs="?", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="two rounds of fewer requests")
    chosen = parser.parse_args()
    rounds, count = (2, chosen.requests // 5) if chosen.quick else (ROUNDS, chosen.requests)
    results = Results(name="sender", quick=chosen.quick)
    rows: list[tuple[int, str, float, float, float]] = []
    with target() as url:
        for in_flight in (50, 200):
            rows += compared([sample_request(url)] * count, in_flight, rounds)
    results.table(
        "The Sender beside a bare CurlMulti loop",
        ("calls in flight", "client", "requests/s", "CPU µs a request", "CPU, of the bare loop"),
        rows,
        note=f"medians of {rounds} rounds of {count:,} requests, one after the other",
    )
    results.save()


def compared(
    requests: Sequence[Request], in_flight: int, rounds: int
) -> list[tuple[int, str, float, float, float]]:
    """Rows of both clients, measured in turn."""
    runs = {"sender": sender_run, "bare CurlMulti": bare_run}
    figures: dict[str, list[Figure]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            figures[name].append(measure(run, requests, in_flight))
    return [
        (
            in_flight,
            name,
            median(each.requests_per_second for each in measured),
            median(each.cpu_us for each in measured),
            median(
                ours.cpu_us / bare.cpu_us
                for ours, bare in zip(measured, figures["bare CurlMulti"], strict=True)
            ),
        )
        for name, measured in figures.items()
    ]


def sample_request(url: str) -> Request:
    """A call as a schedule with a small body makes it."""
    return Request(
        method="POST", url=url, headers=HEADERS, body=BODY, timeout_seconds=30.0, follow_redirects=False
    )


def measure(
    run: Callable[[Sequence[Request], int], None], requests: Sequence[Request], in_flight: int
) -> Figure:
    """Wall and CPU time of this process for the requests."""
    started, cpu = time.perf_counter(), _cpu_seconds()
    run(requests, in_flight)
    seconds = time.perf_counter() - started
    return Figure(len(requests) / seconds, (_cpu_seconds() - cpu) / len(requests) * 1e6)


def sender_run(requests: Sequence[Request], in_flight: int) -> None:
    """Keep the Sender at `in_flight` calls, as a worker does."""
    policy = AddressPolicy.from_settings(WorkerSettings())
    sender = Sender(clock=SystemClock(), policy=policy, most=in_flight)
    poll = select.poll()
    poll.register(sender.fileno(), select.POLLIN)
    sent = done = 0
    while done < len(requests):
        room = in_flight - (sent - done)
        new = [(str(sent + number), request) for number, request in enumerate(requests[sent : sent + room])]
        sender.submit(new)
        sent += len(new)
        poll.poll()
        for _key, outcome in sender.collect():
            assert outcome.status_code == 200, outcome
            done += 1
    sender.close()


def bare_run(requests: Sequence[Request], in_flight: int) -> None:
    """The least that pycurl can do: handles with the first request's options, reused as they come free."""
    first, count = requests[0], len(requests)
    multi = pycurl.CurlMulti()
    handles = []
    for _ in range(in_flight):
        curl = pycurl.Curl()
        curl.setopt(pycurl.URL, first.url)
        curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in first.headers.items()])
        if first.body is not None:
            curl.setopt(pycurl.POSTFIELDS, first.body)
        curl.setopt(pycurl.WRITEFUNCTION, bytearray().extend)
        curl.setopt(pycurl.NOSIGNAL, 1)
        handles.append(curl)
        multi.add_handle(curl)
    sent, done = in_flight, 0
    while done < count:
        multi.perform()
        queued = 1
        while queued:
            queued, succeeded, failed = multi.info_read()
            assert not failed, failed
            for curl in succeeded:
                assert curl.getinfo(pycurl.RESPONSE_CODE) == 200
                done += 1
                multi.remove_handle(curl)
                if sent < count:
                    sent += 1
                    multi.add_handle(curl)
        multi.select(1.0)
    multi.close()
    for curl in handles:
        curl.close()


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
