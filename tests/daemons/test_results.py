"""Results on their way into the ledger: nothing leaves the worker's hands before it is written down."""

import select
from collections.abc import Iterator
from datetime import timedelta

import pytest

from rrcli.core.models import Event, EventState
from rrcli.errors import StoreUnavailable
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.repository.base import QueueEntry
from rrcli_daemons.results import Results
from tests.contract.samples import NOON, event
from tests.support.receiver import Receiver
from tests.support.working import dispatch, work_until, working

WORKER = "worker-1"
LEASE = timedelta(minutes=1)
AWAY = StoreUnavailable("away")


@pytest.fixture
def results(context: Context) -> Iterator[Results]:
    made = Results(context, WORKER)
    yield made
    made.close()


def claimed(context: Context, count: int) -> list[Event]:
    """Events that the worker has claimed."""
    made = [event(number) for number in range(count)]
    context.repository.events.add(made)
    context.repository.queues.add([QueueEntry(event_id=each.id, due=each.due) for each in made])
    context.repository.queues.promote([each.id for each in made])
    assert len(context.repository.queues.claim(WORKER, count, LEASE)) == count
    return made


def completed(one: Event) -> Event:
    return one.moved(EventState.COMPLETED, NOON, "done")


def test_what_ended_is_archived_and_its_claim_given_up(context: Context, results: Results) -> None:
    (one,) = claimed(context, 1)
    results.ended(completed(one))
    assert len(results) == 1

    results.begin(NOON)
    assert select.select([results], [], [], 10)[0] == [results]
    results.finish()

    assert (len(results), results.unwritten) == (0, [])
    assert select.select([results], [], [], 0)[0] == []
    assert context.repository.events.history(None, limit=9).items == (completed(one),)
    assert context.repository.queues.depths().in_flight == 0


def test_what_ends_while_others_are_written_is_written_next(context: Context, results: Results) -> None:
    first, second = claimed(context, 2)
    results.ended(completed(first))
    results.begin(NOON)
    results.ended(completed(second))
    results.write_all(NOON)
    assert len(results) == 0
    assert context.repository.events.history(None, limit=9).total == 2


def test_what_could_not_be_written_stays_and_is_written_later(
    context: Context, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = claimed(context, 1)
    results.ended(completed(one))
    with monkeypatch.context() as patched:
        patched.setattr(context.repository.events, "archive", _away)
        results.begin(NOON)
        with pytest.raises(StoreUnavailable):
            results.finish()
        assert results.unwritten == [completed(one)]
        assert context.repository.queues.held(WORKER) == {one.id}

    results.write_all(NOON)
    assert context.repository.events.history(None, limit=9).items == (completed(one),)


def test_a_retry_that_was_noted_is_not_noted_again_when_the_archive_fails(
    context: Context, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By then another worker may have called it: its new state must not be overwritten."""
    again, one = claimed(context, 2)
    results.again(again.moved(EventState.RETRY, NOON, "failed", due=NOON))
    results.ended(completed(one))
    with monkeypatch.context() as patched:
        patched.setattr(context.repository.events, "archive", _away)
        with pytest.raises(StoreUnavailable):
            results.write_all(NOON)
    assert results.unwritten == [completed(one)]
    assert context.repository.queues.due(NOON, 9) == [again.id]


def test_a_retry_that_waits_for_the_queues_keeps_no_result_out_of_the_ledger(
    context: Context, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies while they are away has its calls made again, but for those that are archived."""
    again, one = claimed(context, 2)
    results.again(again.moved(EventState.RETRY, NOON, "failed", due=NOON))
    results.ended(completed(one))
    with monkeypatch.context() as patched:
        for name in ("retry", "acknowledge"):
            patched.setattr(context.repository.queues, name, _away)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                results.write_all(NOON)
        assert context.repository.events.archived([one.id]) == {one.id}
        assert context.repository.events.get([again.id])[again.id].state is EventState.RETRY
        assert {event.id for event in results.unwritten} == {again.id, one.id}
    results.write_all(NOON)
    assert context.repository.queues.due(NOON, 9) == [again.id]
    assert context.repository.queues.held(WORKER) == set()
    assert not results.unwritten


def test_claims_are_kept_while_the_ledger_is_away(
    context: Context, target: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their calls have ended: another worker that takes them over would make them again."""
    repository = context.repository
    made = schedules.create(
        context, {"name": "s", "rrule": "FREQ=MINUTELY;COUNT=1", "callback_url": target.url("/hook")}
    )
    dispatch(context)
    kept: list[list[QueueEntry]] = []
    with working(context) as worker:
        work_until(worker, context, lambda: bool(worker.counters()["in_flight"]))
        (event_id,) = repository.queues.held(WORKER)
        with monkeypatch.context() as patched:
            patched.setattr(repository.events, "archive", _away)
            patched.setattr(
                repository.queues, "retake", lambda _worker, entries, _lease: kept.append(entries) or ()
            )
            with pytest.raises(StoreUnavailable):
                work_until(worker, context, lambda: False)
            with pytest.raises(StoreUnavailable):
                worker.run_once(context.now())
        assert [entry.event_id for entry in kept[-1]] == [event_id]
        work_until(worker, context, lambda: repository.events.history(made.id, limit=1).total == 1)
    assert len(target.requests) == 1


def test_closing_waits_for_what_is_being_written(context: Context, results: Results) -> None:
    (one,) = claimed(context, 1)
    results.ended(completed(one))
    results.begin(NOON)
    results.close()
    results.close()
    assert context.repository.events.history(None, limit=9).total == 1


def _away(*_: object) -> None:
    raise AWAY
