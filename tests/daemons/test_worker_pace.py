"""How much a worker has in hand, and when it claims and writes: by how fast calls end."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from rrcli.core.models import Event
from rrcli.operations import events
from rrcli.operations.context import Context
from rrcli_daemons.pace import BUSY
from rrcli_daemons.worker import GIVE_BACK_SECONDS, WRITE_SECONDS
from tests.daemons.test_worker import make, nothing_queued
from tests.support.clock import FakeClock
from tests.support.receiver import Answer, Fault, Receiver
from tests.support.working import dispatch, work_until, working

HANGS_SECONDS = 5.0
"""A worker that waits for the ledger does so this long, and then fails the test."""


def two_at_once(context: Context) -> Context:
    """The context, with room for two calls in one worker."""
    worker = replace(context.settings.worker, count=1, concurrency=2)
    return replace(context, settings=replace(context.settings, worker=worker))


def eight_for_two(context: Context, target: Receiver) -> Context:
    """As `two_at_once`, with eight calls to be made."""
    for number in range(8):
        make(context, target, name=f"s{number}")
    dispatch(context)
    return two_at_once(context)


def test_while_calls_end_quickly_the_next_ones_are_claimed_already(
    context: Context, target: Receiver
) -> None:
    narrow = eight_for_two(context, target)
    with working(narrow) as worker:
        worker.run_once(context.now())
        assert context.repository.queues.depths().in_flight == 2
        target.wait_for(2)
        target.answer_all(Answer(fault=Fault.NEVER))
        work_until(worker, narrow, lambda: worker.counters()["in_flight"] == 4)
        assert len(target.wait_for(4)) == 4


def test_while_calls_end_quickly_the_next_ones_do_not_wait_for_the_ledger(
    context: Context, clock: FakeClock, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(BUSY):
        make(context, target, name=f"s{number}")
    dispatch(context)
    repository = context.repository
    archive, opened = repository.events.archive, threading.Event()
    waited: list[bool] = []

    def slow(ended: Sequence[Event], now: datetime) -> set[str]:
        waited.append(opened.wait(HANGS_SECONDS))
        return archive(ended, now)

    with working(context) as worker:
        work_until(worker, context, lambda: not worker.counters()["in_flight"])
        worker.finish()
        monkeypatch.setattr(repository.events, "archive", slow)
        for number in range(3):
            make(context, target, name=f"next{number}")
            dispatch(context)
            work_until(worker, context, lambda: not worker.counters()["in_flight"])
        assert (len(target.requests), waited) == (BUSY + 3, [])
        assert repository.queues.depths().in_flight == 3
        opened.set()
        clock.advance(timedelta(seconds=WRITE_SECONDS))
        work_until(worker, context, lambda: nothing_queued(context))
    assert all(waited)
    assert repository.events.history(None, limit=1).total == BUSY + 3


def test_while_many_calls_end_and_more_will_their_results_are_written_together(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    target.answer("/never", Answer(fault=Fault.NEVER))
    make(context, target, callback_url=target.url("/never"))
    schedule_id = make(context, target)
    for number in range(BUSY):
        make(context, target, name=f"s{number}")
    dispatch(context)
    history = context.repository.events.history
    with working(context) as worker:
        work_until(worker, context, lambda: worker.counters()["in_flight"] == 1)
        worker.finish()
        clock.advance(timedelta(seconds=WRITE_SECONDS))
        events.trigger(context, schedule_id)
        dispatch(context)
        work_until(worker, context, lambda: history(None, limit=1).total == BUSY + 2)
        clock.advance(timedelta(seconds=WRITE_SECONDS / 2))
        for _ in range(3):
            events.trigger(context, schedule_id)
            dispatch(context)
            work_until(worker, context, lambda: worker.counters()["in_flight"] == 1)
        assert worker.run_once(context.now()) == context.now() + timedelta(seconds=WRITE_SECONDS)
        assert history(None, limit=1).total == BUSY + 2
        clock.advance(timedelta(seconds=WRITE_SECONDS))
        work_until(worker, context, lambda: history(None, limit=1).total == BUSY + 5)


def test_not_called_a_worker_claims_only_what_it_had_no_room_for(context: Context, target: Receiver) -> None:
    for number in range(3):
        make(context, target, name=f"s{number}")
    dispatch(context)
    target.answer_all(Answer(fault=Fault.NEVER))
    narrow = two_at_once(context)
    with working(narrow) as worker:
        worker.run_once(context.now(), called=False)
        assert context.repository.queues.depths().in_flight == 0
        worker.run_once(context.now())
        assert context.repository.queues.depths().in_flight == 2
        worker.run_once(context.now(), called=False)
        worker._claimed.clear()
        worker.run_once(context.now(), called=False)
        assert context.repository.queues.depths().in_flight == 3


def test_what_was_claimed_ahead_goes_back_when_calls_hang(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    narrow = eight_for_two(context, target)
    with working(narrow) as slow:
        slow.run_once(context.now())
        target.wait_for(2)
        target.answer_all(Answer(fault=Fault.NEVER))
        work_until(slow, narrow, lambda: slow.counters()["in_flight"] == 4)
        target.wait_for(4)
        clock.advance(timedelta(seconds=GIVE_BACK_SECONDS))
        slow.run_once(context.now())
        assert context.repository.queues.depths().in_flight == 2
        target.answer_all(Answer())
        dispatch(context)
        with working(context, "quick") as quick:
            work_until(quick, context, lambda: context.repository.queues.depths().in_flight == 2)
    called = [call.headers["webhook-id"] for call in target.requests]
    assert len(set(called)) == len(called) == 8
