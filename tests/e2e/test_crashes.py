"""SIGKILL in the middle of 1,000 events: everything is called, and twice only what was in flight."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from rrcli.core.models import Event, EventState, Schedule
from rrcli.repository.base import Repository
from rrcli.settings import Settings
from tests.support.load import add_schedules, all_ended
from tests.support.receiver import Receiver
from tests.support.stack import DAEMONS, running, wait_until

SCHEDULES, EACH = 100, 10


def calls(target: Receiver) -> Counter[str]:
    return Counter(call.headers["webhook-id"] for call in target.requests)


@pytest.mark.parametrize("victim", DAEMONS)
def test_killing_a_daemon_in_the_middle_loses_nothing(
    victim: str, store: Settings, repository: Repository, target: Receiver, tmp_path: Path
) -> None:
    schedules = add_schedules(
        repository, target.url(), SCHEDULES, each=EACH, starting_in=timedelta(seconds=2)
    )
    with running(store, tmp_path / "log", *DAEMONS, WORKER_LEASE_SECONDS="2") as stack:
        for third in (1, 2, 3):
            wait_until(lambda third=third: len(target.requests) >= SCHEDULES * EACH * third // 4, seconds=60)
            stack.kill(victim)
            stack.start(victim)
        wait_until(lambda: all_ended(repository, schedules, EACH), seconds=60, what="the end of all events")
    ended = [event for each in schedules for event in history(repository, each)]
    assert Counter(event.state for event in ended) == {EventState.COMPLETED: SCHEDULES * EACH}
    called = calls(target)
    assert called.keys() == {event.id for event in ended}
    if victim != "worker":
        assert called.total() == SCHEDULES * EACH


def history(repository: Repository, schedule: Schedule) -> tuple[Event, ...]:
    return repository.events.history(schedule.id, limit=1000).items


def test_two_of_each_share_10000_events_and_call_none_twice(
    store: Settings, repository: Repository, target: Receiver, tmp_path: Path
) -> None:
    many, each = 1000, 10
    names = [f"{daemon}-{number}" for daemon in DAEMONS for number in (1, 2)]
    schedules = add_schedules(repository, target.url(), many, each=each, starting_in=timedelta(0))
    with running(store, tmp_path / "log", *names):
        wait_until(
            lambda: len(target.requests) >= many * each and repository.queues.depths().in_flight == 0,
            seconds=100,
            what="10,000 calls",
        )
    called = calls(target)
    assert set(called.values()) == {1}
    assert len(called) == many * each
    assert all_ended(repository, schedules, each)
    assert repository.events.pending(None, limit=1).total == 0


def test_queues_that_were_emptied_are_filled_again_from_the_ledger(
    store: Settings, repository: Repository, target: Receiver, tmp_path: Path
) -> None:
    schedules = add_schedules(repository, target.url(), 20, each=1, starting_in=timedelta(seconds=8))
    with running(store, tmp_path / "log", *DAEMONS) as stack:
        wait_until(lambda: repository.queues.depths().ready == 20)
        empty_queues(store, repository)
        if not store.redis.url:
            stack.kill("prequeuer")  # the embedded queues cannot be lost alone: a start reconciles too
            stack.start("prequeuer")
        wait_until(lambda: all_ended(repository, schedules, 1), seconds=60)
    assert set(calls(target).values()) == {1}


def empty_queues(store: Settings, repository: Repository) -> None:
    """Lose every queue entry, as a Redis without persistence does in a crash."""
    if store.redis.url:
        from redis import Redis

        with Redis.from_url(store.redis.url) as redis:
            redis.flushdb()
    else:
        repository.queues.withdraw([event.id for event in repository.events.live(after_id="", limit=1000)])
