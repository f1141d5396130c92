"""A load of 100 events a second on real daemons, while something is done to them; then the verdict."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from rrcli.clock import SystemClock
from rrcli.core.models import Schedule
from rrcli.operations import audit
from rrcli.operations.context import Context
from rrcli.repository.base import Repository
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.faults.oracle import Verdict, judge
from tests.faults.record import LONG, Record
from tests.support.load import add_schedules, all_ended
from tests.support.receiver import Receiver
from tests.support.stack import DAEMONS, Stack, running, wait_until

A_SECOND = 100
SECONDS = 20 if LONG else 3
END_SECONDS = 90.0
TWO_OF_EACH = tuple(f"{daemon}-{number}" for daemon in DAEMONS for number in (1, 2))

now = SystemClock().now


@dataclass
class Load:
    """A running load. It notes what a killed worker had in flight, the test when its fault was over."""

    repository: Repository
    stack: Stack
    target: Receiver
    schedules: Sequence[Schedule]
    each: int
    in_flight: Counter[str] = field(default_factory=Counter)
    fault_ended: datetime | None = None

    def wait_for_calls(self, number: int) -> None:
        """Until the receiver has had so many calls."""
        wait_until(lambda: len(self.target.requests) >= number, seconds=END_SECONDS, what=f"{number} calls")

    def kill(self, name: str) -> None:
        """SIGKILL one process of the stack, and start another in its place."""
        pid = self.stack.processes[name].pid
        self.stack.kill(name)
        if name.startswith("worker"):
            self.in_flight.update(self._held_by(pid))
        self.stack.start(name)

    def _held_by(self, pid: int) -> set[str]:
        """What a worker that was just killed had in flight: nobody returns it before its lease runs out."""
        beats = self.repository.heartbeats.list(now() - timedelta(hours=1))
        instances = [beat.instance for beat in beats if beat.pid == pid]
        return {event_id for each in instances for event_id in self.repository.queues.held(each)}

    def wait_for_log(self, text: str) -> None:
        """Until a daemon has said so."""
        wait_until(
            lambda: text in self.stack.log.read_text(), seconds=END_SECONDS, what=f"{text!r} in the log"
        )

    def over(self) -> None:
        """The fault is over: what comes from now on is recovery."""
        self.fault_ended = now()

    def verdict(self) -> Verdict:
        """Wait for the end of all events, then compare."""
        wait_until(
            lambda: (
                all_ended(self.repository, self.schedules, self.each)
                and not any(self.repository.events.unfinished(one.id, limit=1) for one in self.schedules)
            ),
            seconds=END_SECONDS + SECONDS,
            what="the end of all events",
        )
        last = max(one.created_at for one in self.schedules) + timedelta(seconds=self.each)
        return judge(
            self.repository,
            self.schedules,
            self.target.requests,
            until=last,
            in_flight=self.in_flight,
            fault_ended=self.fault_ended,
        )

    def settle(self, fault: str, backend: str) -> Verdict:
        """The verdict, recorded, and required to be clean."""
        verdict = self.verdict()
        Record(
            fault=fault,
            backend=backend,
            events=verdict.expected,
            doubles=verdict.doubles,
            losses=verdict.losses,
            recovery_seconds=verdict.recovery_seconds,
            test=os.environ["PYTEST_CURRENT_TEST"].split(" ")[0].split("[")[0],
        ).write()
        verdict.require()
        self._audit()
        return verdict

    def _audit(self) -> None:
        """What a user can ask says the same."""
        context = Context(repository=self.repository, clock=SystemClock(), settings=Settings())
        for one in self.schedules:
            end = one.created_at + timedelta(seconds=self.each)
            report = audit.report(context, one.id, one.created_at, end)
            assert (report.instants, report.missing) == (self.each, []), one.name


@contextmanager
def load(
    store: Settings,
    target: Receiver,
    log: Path,
    *names: str,
    a_second: int = A_SECOND,
    seconds: int = SECONDS,
    **extra: str,
) -> Iterator[Load]:
    """`a_second` events a second for so many seconds, on the named daemons (default: two of each)."""
    with open_repository(store) as repository:
        repository.init()
        schedules = add_schedules(
            repository, target.url(), a_second, each=seconds, starting_in=timedelta(seconds=2)
        )
        extra = {"WORKER_LEASE_SECONDS": "5" if LONG else "3"} | extra
        with running(store, log, *(names or TWO_OF_EACH), **extra) as stack:
            yield Load(repository, stack, target, schedules, seconds)


def backend_of(store: Settings) -> str:
    """As the report names it."""
    return "MongoDB + Redis" if store.mongo.uri else "embedded"
