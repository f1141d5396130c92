"""A worker against a full queue, beside the same calls made without any store.

Run with `python -m tests.benchmarks.worker [--embedded] [--workers N] [--quick]`. A real worker process with
default settings takes 20,000 due events through nginx into the archive; `the sender alone` makes the same
calls with the worker's own client, `bare CurlMulti` with the least that pycurl can do; `the stores alone`
asks of MongoDB and Redis what a worker must, and does nothing with it.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rrcli.clock import SystemClock
from rrcli.core import request
from rrcli.core.request import Request
from rrcli.operations.window import scheduled_event
from rrcli.settings import Settings
from rrcli_daemons.entrypoints import SWITCH_SECONDS
from tests.benchmarks.draining import Drained, Work, drain, stores
from tests.benchmarks.profiling import profiled
from tests.benchmarks.results import Results
from tests.benchmarks.sender import Figure, bare_run, measure, sender_run
from tests.benchmarks.store_calls import store_calls
from tests.benchmarks.target import target

EVENTS = 20_000
EACH = 20
ROUNDS = 3
HOSTS = [f"127.0.1.{number}" for number in range(1, 101)]
COLUMNS = ("variant", "events/s", "of the sender alone", "of one host, no body", "the sender alone, calls/s")
PLAIN = "one host, no body"
NEXT = (
    "The next 2x: a process has one interpreter lock, so it makes no more than 1 s / CPU of an event; a "
    "second worker process lifts that until the servers fill the other core. Inside one process, half of "
    "what the calls take (callbacks, options, outcomes) and the mapping of documents must leave Python."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One variant, in each round: the worker, the same calls without a store, the stores without a call."""

    worker: list[Drained]
    sender: list[Figure]
    bare: list[Figure]
    stores: list[Figure]

    @property
    def events_per_second(self) -> float:
        """Of the worker; the median, as all figures here."""
        return median(each.events_per_second for each in self.worker)

    @property
    def of_sender(self) -> float:
        """The worker's rate over that of the sender alone, round by round."""
        rounds = zip(self.worker, self.sender, strict=True)
        return median(ours.events_per_second / alone.requests_per_second for ours, alone in rounds)

    def cpu_us(self, program: str) -> float:
        """Of one program, an event."""
        return median(each.cpu_us[program] for each in self.worker)


def variants(url: str, events: int) -> dict[str, Work]:
    """What is drained, by name."""
    many = [url.replace("127.0.0.1", host) for host in HOSTS]
    schedules = events // EACH
    return {
        PLAIN: Work(schedules=schedules, each=EACH, urls=[url]),
        "100 hosts": Work(schedules=schedules, each=EACH, urls=many),
        "64-byte bodies": Work(schedules=schedules, each=EACH, urls=[url], body="x" * 64),
        "16 KiB bodies": Work(schedules=schedules, each=EACH, urls=[url], body="x" * 16_384),
        "a schedule for each event": Work(schedules=events, each=1, urls=[url]),
    }


def requests_of(work: Work) -> list[Request]:
    """The calls that the worker makes for it."""
    now = SystemClock().now()
    built = [request.build(one, scheduled_event(one, now, now), now=now) for one in work.made(now)]
    return built * work.each


def main() -> None:
    """Measure all variants, round by round, and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--embedded", action="store_true", help="SQLite instead of MongoDB and Redis")
    parser.add_argument("--workers", type=int, default=1, help="worker processes side by side")
    parser.add_argument("--quick", action="store_true", help="one round of fewer events")
    parser.add_argument("--profile", action="store_true", help="only: where the worker's CPU time goes")
    chosen = parser.parse_args()
    if chosen.profile:
        profile(chosen)
        return
    sys.setswitchinterval(SWITCH_SECONDS)
    name = (
        "worker"
        + ("-embedded" if chosen.embedded else "")
        + (f"-{chosen.workers}" if chosen.workers > 1 else "")
    )
    results = Results(name=name, quick=chosen.quick)
    found = measured(chosen)
    report(results, found)
    if chosen.workers == 1:
        targets(results, found, embedded=chosen.embedded)
    results.save()


def profile(chosen: argparse.Namespace) -> None:
    """Shares of the worker's CPU time, and what they come to in µs of a run that was not looked at."""
    results = Results(name="worker-profile" + ("-embedded" if chosen.embedded else ""), quick=chosen.quick)
    with target() as url, stores(embedded=chosen.embedded) as fresh:
        work = variants(url, EVENTS // 4 if chosen.quick else EVENTS)[PLAIN]
        cpu_us = drain(next(fresh), work).cpu_us["worker"]
        shares = profiled(next(fresh), work)
    rows = [[name, f"{share:.0%}", share * cpu_us] for name, share in shares]
    note = f"All: {cpu_us:.0f} µs an event. Sampled with py-spy, one worker process, {PLAIN}. {NEXT}"
    results.table("Where the worker's CPU time goes", ("area", "share", "µs/event"), rows, note)
    results.save()


def measured(chosen: argparse.Namespace) -> dict[str, Measured]:
    """Each variant in turn, in every round with the sender alone right after the worker."""
    worker = Settings().worker
    in_flight = worker.count * worker.concurrency
    events, rounds = (EVENTS // 4, 1) if chosen.quick else (EVENTS, ROUNDS)
    found = {}
    with target(["127.0.0.1", *HOSTS]) as url, stores(embedded=chosen.embedded) as fresh:
        for name, work in variants(url, events).items():
            calls, each = requests_of(work), Measured(worker=[], sender=[], bare=[], stores=[])
            for _ in range(rounds):
                each.worker.append(drain(next(fresh), work, workers=chosen.workers))
                each.sender.append(measure(sender_run, calls, in_flight))
                each.bare.append(measure(bare_run, calls, in_flight))
                if not chosen.embedded:
                    each.stores.append(store_calls(next(fresh), work))
            found[name] = each
            print(f"{name}: {each.events_per_second:,.0f} events/s", file=sys.stderr, flush=True)
    return found


def report(results: Results, found: dict[str, Measured]) -> None:
    """Rates and the CPU bill that explains them."""
    plain = found[PLAIN].events_per_second
    rows = []
    for name, each in found.items():
        alone = median(figure.requests_per_second for figure in each.sender)
        rows.append([name, each.events_per_second, each.of_sender, each.events_per_second / plain, alone])
    results.table("Due events to archived", COLUMNS, rows)
    programs = list(found[PLAIN].worker[0].cpu_us)
    bill = []
    for name, each in found.items():
        spent = [each.cpu_us(program) for program in programs]
        alone = [_cpu_us(figures) for figures in (each.sender, each.bare, each.stores) if figures]
        bill.append([name, *spent, sum(spent), *alone])
    columns = [
        "variant",
        *(f"{program} µs" for program in programs),
        "all µs",
        "the sender alone µs",
        "bare CurlMulti µs",
        *(["the stores alone µs"] if found[PLAIN].stores else []),
    ]
    results.table("CPU time of an event", columns, bill, limits(found[PLAIN]))


def _cpu_us(figures: Sequence[Figure]) -> float:
    return median(each.cpu_us for each in figures)


def limits(plain: Measured) -> str:
    """What the bill says is possible at most."""
    every = sum(plain.cpu_us(program) for program in plain.worker[0].cpu_us)
    processors = os.cpu_count() or 1
    return (
        f"By this bill {processors} processors make at most {processors * 1e6 / every:,.0f} events/s, and "
        f"one process with its one interpreter lock about {1e6 / plain.cpu_us('worker'):,.0f}."
    )


def left_for_records(plain: Measured, ratio: float) -> str:
    """What a worker that reaches that part of the client alone can spend on an event beside its call."""
    alone = median(figure.requests_per_second for figure in plain.sender)
    call = _cpu_us(plain.sender)
    programs = plain.worker[0].cpu_us
    servers = sum(plain.cpu_us(program) for program in programs if program != "worker")
    wanted = 1e6 / (ratio * alone)
    left = min((os.cpu_count() or 1) * wanted - servers, wanted) - call
    return (
        f"{ratio:g} of {alone:,.0f} calls/s leave one process {wanted:.0f} µs for an event. The call takes "
        f"{call:.0f} µs of them; {left:.0f} µs would have to do for claiming and reading the event, and for "
        f"writing and archiving its result. That takes {plain.cpu_us('worker') - call:.0f} µs now: "
        f"{_cpu_us(plain.stores):.0f} µs to ask the stores and to carry bytes, the rest to make records of "
        "them, to decide, and to make documents of the result, in Python. The servers take "
        f"{servers:.0f} µs of the same processors."
    )


def targets(results: Results, found: dict[str, Measured], *, embedded: bool) -> None:
    """The demands of the issue."""
    plain = found[PLAIN]
    rate, least = plain.events_per_second, 5_000 if embedded else 8_000
    where = "embedded store" if embedded else "MongoDB + Redis"
    results.target(
        f"one worker, {where}",
        asked=f">= {least:,} events/s",
        reached=f"{rate:,.0f} events/s",
        met=rate >= least,
    )
    if embedded:
        return
    results.target(
        "of the same client without stores",
        asked=">= 0.6",
        reached=f"{plain.of_sender:.2f}",
        met=plain.of_sender >= 0.6,
        why=left_for_records(plain, 0.6),
    )
    for name in ("100 hosts", "64-byte bodies", "16 KiB bodies"):
        ratio = found[name].events_per_second / rate
        results.target(
            f"{name}, of the plain figure", asked=">= 0.5", reached=f"{ratio:.2f}", met=ratio >= 0.5
        )


if __name__ == "__main__":
    main()
