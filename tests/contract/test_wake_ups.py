"""Waiters are woken by what another process does (base.Waiter)."""

import select
from collections.abc import Callable, Iterator

import pytest

from rrcli.repository.base import Channel, Repository, Waiter
from tests.contract.samples import LONG, NO_TIME, entry
from tests.support.stores import QUEUE_STORES

pytestmark = pytest.mark.parametrize("store", QUEUE_STORES, indirect=True)

A, B = f"{0xA:024x}", f"{0xB:024x}"
# In the same partition as A, if there are several: each looks at its own head.
BESIDE_A = f"{0xC:024x}"
# Upper bound of a wait that is expected to end; and how long silence is listened to.
WAKE_SECONDS = 5.0
SILENCE_SECONDS = 0.05


def woken(waiter: Waiter, seconds: float = WAKE_SECONDS) -> bool:
    return bool(select.select([waiter], [], [], seconds)[0])


@pytest.fixture
def other(open_again: Callable[[], Repository]) -> Repository:
    """The same store, as another process has it."""
    return open_again()


@pytest.fixture
def dispatcher(repository: Repository) -> Iterator[Waiter]:
    waiter = repository.waiter(Channel.DISPATCHER)
    yield waiter
    waiter.close()


@pytest.fixture
def worker(repository: Repository) -> Iterator[Waiter]:
    waiter = repository.waiter(Channel.WORKER)
    yield waiter
    waiter.close()


def test_an_earlier_head_wakes_the_dispatcher(dispatcher: Waiter, other: Repository) -> None:
    other.queues.add([entry(A, 10)])
    assert woken(dispatcher)
    dispatcher.drain()

    other.queues.add([entry(B, 5)])
    assert woken(dispatcher)


def test_a_later_entry_does_not_wake_the_dispatcher(dispatcher: Waiter, other: Repository) -> None:
    other.queues.add([entry(A, 10)])
    assert woken(dispatcher)
    dispatcher.drain()

    other.queues.add([entry(BESIDE_A, 11), entry(A, 1)])
    assert not woken(dispatcher, SILENCE_SECONDS)


def test_drain_forgets_all_wake_ups(dispatcher: Waiter, other: Repository) -> None:
    for seconds in (30, 20, 10):
        other.queues.add([entry(f"{seconds:024x}", seconds)])
    assert woken(dispatcher)
    # The last of them may still be on its way.
    while woken(dispatcher, SILENCE_SECONDS):
        dispatcher.drain()

    dispatcher.drain()
    assert not woken(dispatcher, 0)


def test_a_wake_up_before_the_wait_is_not_lost(dispatcher: Waiter, other: Repository) -> None:
    other.queues.add([entry(A)])
    other.close()

    assert woken(dispatcher)
    assert woken(dispatcher, 0)


def test_promoted_work_wakes_workers(worker: Waiter, other: Repository) -> None:
    other.queues.add([entry(A)])
    worker.drain()
    other.queues.promote([A])

    assert woken(worker)


def test_released_work_wakes_workers(worker: Waiter, other: Repository) -> None:
    _claim(other, LONG, worker)
    other.queues.release("w1")

    assert woken(worker)


def test_reaped_work_wakes_workers(worker: Waiter, other: Repository) -> None:
    _claim(other, NO_TIME, worker)
    other.queues.reap()

    assert woken(worker)


def test_a_retry_that_is_first_wakes_the_dispatcher(dispatcher: Waiter, other: Repository) -> None:
    _claim(other, LONG, dispatcher)
    other.queues.add([entry(B, 600)])
    assert woken(dispatcher)
    dispatcher.drain()

    other.queues.retry("w1", [entry(A, 1)])
    assert woken(dispatcher)


def test_every_waiter_of_a_channel_is_woken(
    worker: Waiter, other: Repository, open_again: Callable[[], Repository]
) -> None:
    third = open_again()
    second = third.waiter(Channel.WORKER)
    try:
        other.queues.add([entry(A)])
        other.queues.promote([A])
        assert woken(worker)
        assert woken(second)
    finally:
        second.close()


def test_a_waiter_that_was_closed_hinders_nobody(worker: Waiter, other: Repository) -> None:
    gone = other.waiter(Channel.WORKER)
    gone.close()
    gone.close()

    other.queues.add([entry(A)])
    other.queues.promote([A])
    assert woken(worker)


def _claim(repository: Repository, lease: object, waiter: Waiter) -> None:
    """Bring A in flight, and forget the wake-ups of that."""
    repository.queues.add([entry(A)])
    repository.queues.promote([A])
    assert woken(waiter)
    repository.queues.claim("w1", 1, lease)  # type: ignore[arg-type]
    while woken(waiter, SILENCE_SECONDS):
        waiter.drain()
