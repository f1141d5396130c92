"""Reading the ledger, and cancelling."""

from datetime import timedelta

import pytest

from rrcli.core.models import EventState
from rrcli.errors import Conflict, NotFound
from rrcli.operations import events
from rrcli.operations.context import Context
from tests.operations.standing import (
    NOON,
    after,
    archived,
    firing,
    live,
    make,
    minutes,
    prequeue,
    queued,
    run_times,
)
from tests.support.clock import FakeClock

ABSENT = "0" * 24
LEASE = timedelta(seconds=30)


def test_a_cancelled_event_never_fires(context: Context, clock: FakeClock):
    schedule = make(context)
    event = live(context, schedule)[3]
    clock.advance(timedelta(seconds=5))
    cancelled = events.cancel(context, event.id)
    assert (cancelled.state, cancelled.status[-1].message) == (EventState.CANCELLED, "Cancelled by hand")
    assert cancelled.status[-1].time == after(5)
    assert events.get(context, event.id) == cancelled
    assert event.id not in queued(context)
    prequeue(context)
    assert minutes(3)[0] not in firing(context, schedule)


def test_an_event_in_the_worker_queue_can_be_cancelled(context: Context):
    schedule = make(context)
    event = live(context, schedule)[0]
    context.repository.queues.promote([event.id])
    context.repository.events.dispatched([event.id], NOON, due_by=event.due)
    assert events.cancel(context, event.id).state is EventState.CANCELLED
    assert context.repository.queues.depths().worker == 0


def test_an_event_that_is_being_called_is_not_cancelled(context: Context):
    schedule = make(context)
    event = live(context, schedule)[0]
    context.repository.queues.promote([event.id])
    assert context.repository.queues.claim("worker-1", 10, LEASE) == [event.id]
    with pytest.raises(Conflict, match="being called right now"):
        events.cancel(context, event.id)
    assert live(context, schedule)[0] == event


def test_an_event_that_has_ended_is_not_cancelled(context: Context):
    schedule = make(context)
    event = live(context, schedule)[0]
    events.cancel(context, event.id)
    with pytest.raises(Conflict, match="has ended already, as cancelled"):
        events.cancel(context, event.id)
    assert len(archived(context, schedule)) == 1


def test_an_event_that_ends_while_it_is_cancelled_keeps_its_result(
    context: Context, monkeypatch: pytest.MonkeyPatch
):
    schedule = make(context)
    event = live(context, schedule)[0]
    queues = context.repository.queues
    withdraw = queues.withdraw

    def worker_was_faster(ids: list[str]) -> set[str]:
        withdraw(ids)
        context.repository.events.archive([event.moved(EventState.COMPLETED, NOON, "200")], NOON)
        return set()

    monkeypatch.setattr(queues, "withdraw", worker_was_faster)
    with pytest.raises(Conflict, match="has ended already, as completed"):
        events.cancel(context, event.id)
    assert events.get(context, event.id).state is EventState.COMPLETED


def test_an_event_that_stands_in_no_queue_can_be_cancelled(context: Context):
    schedule = make(context)
    event = live(context, schedule)[0]
    context.repository.queues.withdraw([event.id])
    assert events.cancel(context, event.id).state is EventState.CANCELLED


@pytest.mark.parametrize("act", [events.get, events.cancel, events.resolve])
def test_an_absent_event_is_not_found(context: Context, act):
    with pytest.raises(NotFound):
        act(context, ABSENT)


def test_an_event_is_found_by_a_unique_beginning_of_its_id(context: Context):
    schedule = make(context)
    event = live(context, schedule)[0]
    assert events.resolve(context, event.id[:20]) == event
    events.cancel(context, event.id)
    assert events.resolve(context, event.id[:20]).state is EventState.CANCELLED


def test_a_beginning_that_fits_several_events_is_a_conflict(context: Context):
    first = live(context, make(context))[0]
    second = live(context, make(context))[0]
    assert first.id[:8] == second.id[:8]
    with pytest.raises(Conflict) as caught:
        events.resolve(context, first.id[:8])
    assert first.id in caught.value.message
    assert second.id in caught.value.message


def test_pending_is_next_first_and_history_newest_first_in_pages(context: Context):
    schedule = make(context)
    for event in live(context, schedule)[:4]:
        events.cancel(context, event.id)
    pending = events.pending(context, schedule.id, limit=2, offset=1)
    assert (run_times(pending.items), pending.total) == (minutes(5, 6), 6)
    history = events.history(context, None, limit=3)
    assert (run_times(history.items), history.total) == (minutes(3, 2, 1), 4)
