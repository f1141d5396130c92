"""Leases of the embedded store run on the machine's monotonic clock, across its processes and boots."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rrcli.repository.sqlite import SqliteRepository
from tests.contract.samples import NOON, entry

LEASE = timedelta(seconds=30)
ID = f"{0xA:024x}"


class FakeClock:
    """A clock that stands still until it is set; `then` is what it shows after the next look."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.then: float | None = None

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        shown = self.seconds
        if self.then is not None:
            self.seconds = self.then
        return shown


OpenAt = Callable[[float], tuple[SqliteRepository, FakeClock]]


@pytest.fixture
def open_at(tmp_path: Path) -> Iterator[OpenAt]:
    """Opens the same store with a clock that shows so many seconds since boot."""
    with ExitStack() as stack:

        def opened(seconds: float) -> tuple[SqliteRepository, FakeClock]:
            clock = FakeClock(seconds)
            repository = SqliteRepository.open(tmp_path / "store.db", clock=clock)
            return stack.enter_context(repository), clock

        yield opened


def claim(repository: SqliteRepository) -> None:
    repository.queues.add([entry(ID)])
    repository.queues.promote([ID])
    assert repository.queues.claim("w1", 1, LEASE) == [ID]


def test_a_lease_runs_out_after_its_length(open_at: OpenAt) -> None:
    repository, clock = open_at(1_000)
    claim(repository)

    clock.seconds = 1_029.999
    assert repository.queues.reap() == 0
    clock.seconds = 1_030
    assert repository.queues.extend("w1", LEASE) is False
    assert repository.queues.reap() == 1


def test_an_extended_lease_runs_from_the_extension(open_at: OpenAt) -> None:
    repository, clock = open_at(1_000)
    claim(repository)
    clock.seconds = 1_029
    assert repository.queues.extend("w1", LEASE) is True

    clock.seconds = 1_058
    assert repository.queues.reap() == 0


def test_a_lease_from_before_a_reboot_has_run_out(open_at: OpenAt) -> None:
    claim(open_at(1_000_000)[0])

    rebooted, _ = open_at(12)

    assert rebooted.queues.extend("w1", LEASE) is False
    assert rebooted.queues.reap() == 1


def test_a_lease_renewed_while_the_reaper_waits_is_not_reaped(open_at: OpenAt) -> None:
    reaper, clock = open_at(100)
    claim(open_at(150)[0])
    # The first look is at 100, before the lease; the second, under the write lock, after it.
    clock.then = 151

    assert reaper.queues.reap() == 0


def test_a_lease_of_another_length_is_kept_at_that_length(open_at: OpenAt) -> None:
    repository, clock = open_at(1_000)
    claim(repository)
    assert repository.queues.extend("w1", timedelta(hours=1)) is True

    clock.seconds = 1_100
    assert repository.queues.reap() == 0
