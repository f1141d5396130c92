"""Receivers that fail in every way: each event ends with the right status, and the others stay on time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rrcli.clock import SystemClock
from rrcli.core.models import Event
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.repository.base import Repository
from rrcli.settings import Settings
from tests.faults.oracle import judge
from tests.faults.record import LONG, Record
from tests.faults.running import backend_of, now
from tests.support.load import add_schedules, all_ended
from tests.support.receiver import Answer, Fault, Received, Receiver, receiver
from tests.support.stack import DAEMONS, running, wait_until

GOOD_HOSTS, HANGING_HOSTS = 90, 10
SECONDS = 20 if LONG else 2
TEN_GIGABYTES = 10 * 1024**3

FAILING: dict[str, tuple[Answer, str]] = {
    "resets in mid-body": (Answer(body=b"x" * 1000, fault=Fault.RESET), "error"),
    "never answers": (Answer(fault=Fault.NEVER), "error"),
    "trickles": (Answer(fault=Fault.TRICKLE), "error"),
    "10 GB answer": (Answer(length=TEN_GIGABYTES), "completed"),
    "500": (Answer(status=500), "error"),
    "429 with Retry-After": (Answer(status=429, headers={"Retry-After": "1"}), "error"),
    "301": (Answer(status=301, headers={"Location": "/elsewhere"}), "error"),
    "410": (Answer(status=410), "error"),
}


@pytest.fixture
def live(repository: Repository, store: Settings) -> Context:
    """A context on the machine's clock, which the daemons of these tests run on."""
    return Context(repository=repository, clock=SystemClock(), settings=store)


def test_every_failure_of_a_receiver_ends_in_one_entry_that_says_why(
    store: Settings, live: Context, target: Receiver, tmp_path: Path
) -> None:
    expected: dict[str, str] = {}
    for name, (answer, state) in FAILING.items():
        path = "/" + name.replace(" ", "-")
        target.answer(path, answer)
        expected[create(live, name, target.url(path))] = state
    with receiver() as gone, receiver(tls=True) as untrusted:
        expected[create(live, "invalid TLS certificate", untrusted.url("/"))] = "error"
        expected[create(live, "refuses", gone.url("/"))] = "error"
        gone.stop()
        with running(store, tmp_path / "log", *DAEMONS):
            wait_until(lambda: not live.repository.events.pending(None, limit=1).total, seconds=60)
    found = {each: only(live.repository, each) for each in expected}
    assert {each: event.state for each, event in found.items()} == expected
    assert all(event.status[-1].message for event in found.values())
    verdict = judge(
        live.repository,
        list(live.repository.schedules.get(expected).values()),
        target.requests,
        until=now(),
    )
    assert verdict.stray_doubles == []
    Record(
        fault="Receiver: refuses, resets, hangs, trickles, 10 GB, 5xx, 429, 301, 410, bad TLS",
        backend=backend_of(store),
        events=len(expected),
        doubles=verdict.doubles,
        losses=verdict.losses,
        recovery_seconds=None,
        test="tests/faults/test_receiver.py"
        "::test_every_failure_of_a_receiver_ends_in_one_entry_that_says_why",
    ).write()


def create(context: Context, name: str, url: str) -> str:
    start = now() + timedelta(seconds=2)
    fields = {"name": name, "rrule": f"DTSTART:{start:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=SECONDLY;COUNT=1"}
    retry = {"max_retries": 1, "retry": {"base_seconds": 0.1}, "timeout_seconds": 1}
    return schedules.create(context, fields | retry | {"callback_url": url}).id


def only(repository: Repository, schedule_id: str) -> Event:
    (event,) = repository.events.history(schedule_id, limit=9).items
    return event


@contextmanager
def hosts(first: int, number: int) -> Iterator[Sequence[Receiver]]:
    """Receivers on 127.0.0.`first` and the addresses after it."""
    with ExitStack() as stack:
        yield [stack.enter_context(receiver(host=f"127.0.0.{first + index}")) for index in range(number)]


def test_ten_hosts_that_hang_do_not_make_ninety_others_late(
    store: Settings, repository: Repository, tmp_path: Path
) -> None:
    with hosts(2, GOOD_HOSTS) as good, hosts(2 + GOOD_HOSTS, HANGING_HOSTS) as hanging:
        without = lateness(store, repository, good, [], tmp_path / "log")
        for each in hanging:
            each.answer_all(Answer(fault=Fault.NEVER))
        beside = lateness(store, repository, good, hanging, tmp_path / "log")
    assert beside < max(5 * without, 1.0)
    Record(
        fault="100 hosts of which 10 hang: the other 90",
        backend=backend_of(store),
        events=GOOD_HOSTS * SECONDS,
        doubles=0,  # as many calls as occurrences, and each schedule has all of its entries: see `lateness`
        losses=0,
        recovery_seconds=None,
        test="tests/faults/test_receiver.py::test_ten_hosts_that_hang_do_not_make_ninety_others_late",
    ).write()


def lateness(
    store: Settings, repository: Repository, good: Sequence[Receiver], hanging: Sequence[Receiver], log: Path
) -> float:
    """Median seconds from an occurrence to its call, over all calls of the good hosts."""
    start = timedelta(seconds=2)
    made = []
    for host in (*good, *hanging):
        host.clear()
        made += add_schedules(repository, host.url("/"), 1, each=SECONDS, starting_in=start)
    with running(store, log, *DAEMONS, WORKER_GRACE_SECONDS="0"):
        wait_until(lambda: all_ended(repository, made[: len(good)], SECONDS), seconds=60 + SECONDS)
        for each in made[len(good) :]:
            schedules.delete(Context(repository=repository, clock=SystemClock(), settings=store), each.id)
        calls = [call for host in good for call in host.requests]
    late = sorted(late_by(call) for call in calls)
    assert len({call.headers["webhook-id"] for call in calls}) == len(calls)
    assert len(late) == len(good) * SECONDS
    return late[len(late) // 2]


def late_by(call: Received) -> float:
    nominal = datetime.fromisoformat(call.headers["x-rrule-run-time"])
    return (call.time - nominal).total_seconds()
