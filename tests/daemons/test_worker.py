"""The worker on real stores with real HTTP: what becomes of an event, whatever the receiver does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from msgspec import structs

from rrcli.core.models import Event, EventState, ScheduleState
from rrcli.operations import changes, events, schedules
from rrcli.operations.context import Context
from rrcli.operations.leases import SETTLE_SECONDS
from rrcli.repository.base import QueueEntry
from rrcli_daemons.worker import LOOK_SECONDS
from tests.support.clock import FakeClock
from tests.support.receiver import Answer, Receiver
from tests.support.working import dispatch, work_until, working

NO_LEASE = timedelta(0)


def make(context: Context, target: Receiver, **fields: Any) -> str:
    data = {"name": "s", "rrule": "FREQ=MINUTELY;COUNT=1", "callback_url": target.url("/hook")}
    return schedules.create(context, data | fields).id


def only(context: Context, schedule_id: str) -> Event:
    """The one event that has ended."""
    (event,) = context.repository.events.history(schedule_id, limit=10).items
    return event


def work(context: Context, ended: int, schedule_id: str) -> None:
    """Dispatch what is due and work until that many events of the schedule have ended."""
    dispatch(context)
    with working(context) as worker:
        work_until(worker, context, lambda: events.history(context, schedule_id, limit=1).total == ended)


def states(event: Event) -> list[str]:
    return [str(step.status) for step in event.status]


def nothing_queued(context: Context) -> bool:
    depths = context.repository.queues.depths()
    return (depths.ready, depths.worker, depths.in_flight) == (0, 0, 0)


def test_a_call_is_made_as_the_schedule_says(context: Context, target: Receiver) -> None:
    schedule_id = make(
        context, target, method="PUT", headers={"Authorization": "Bearer abc"}, body='{"task":"backup"}'
    )
    work(context, 1, schedule_id)
    (call,) = target.requests
    assert (call.method, call.path, call.body) == ("PUT", "/hook", b'{"task":"backup"}')
    event = only(context, schedule_id)
    headers = {name.lower(): value for name, value in call.headers.items()}
    assert headers["authorization"] == "Bearer abc"
    assert headers["webhook-id"] == event.id
    assert headers["x-rrule-schedule-id"] == schedule_id
    assert headers["x-rrule-run-time"] == "2026-03-02T12:00:00Z"
    assert headers["x-rrule-attempt"] == "1"


def test_success_is_written_down_and_leaves_no_queue_entry(context: Context, target: Receiver) -> None:
    target.answer("/hook", Answer(status=202, body=b"accepted"))
    schedule_id = make(context, target)
    work(context, 1, schedule_id)
    event = only(context, schedule_id)
    assert states(event) == ["ready_queue", "worker_queue", "completed"]
    (attempt,) = event.attempts
    assert (attempt.status_code, attempt.error, attempt.response) == (202, None, "accepted")
    assert event.lateness_ms == 0
    assert nothing_queued(context)
    assert events.pending(context, schedule_id, limit=1).total == 0


def test_a_500_ends_as_error_after_its_retries_with_every_attempt_recorded(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    target.answer("/hook", Answer(status=500, body=b"broken"))
    schedule_id = make(context, target, max_retries=2)
    dispatch(context)
    with working(context) as worker:
        for attempts in (1, 2):
            work_until(worker, context, lambda: context.repository.queues.depths().ready == 1)
            (waiting,) = events.pending(context, schedule_id, limit=1).items
            assert (waiting.state, len(waiting.attempts)) == (EventState.RETRY, attempts)
            assert waiting.due == context.now() + timedelta(seconds=0.5 * 2 ** (attempts - 1))
            clock.advance(waiting.due - context.now())
            dispatch(context)
        work_until(worker, context, lambda: nothing_queued(context))
    event = only(context, schedule_id)
    assert states(event) == [
        "ready_queue",
        "worker_queue",
        "retry",
        "worker_queue",
        "retry",
        "worker_queue",
        "error",
    ]
    assert [attempt.status_code for attempt in event.attempts] == [500, 500, 500]
    assert "gave up after 3 attempts" in event.status[-1].message
    ids = {call.headers["webhook-id"] for call in target.requests}
    assert ids == {event.id}


def test_retries_follow_the_setting_where_the_schedule_does_not_say(
    context: Context, target: Receiver
) -> None:
    target.answer("/hook", Answer(status=503))
    none = replace(context.settings, worker=replace(context.settings.worker, max_retries=0))
    context = replace(context, settings=none)
    schedule_id = make(context, target)
    work(context, 1, schedule_id)
    assert only(context, schedule_id).state is EventState.ERROR


def test_retry_after_is_honoured(context: Context, target: Receiver) -> None:
    target.answer("/hook", Answer(status=429, headers={"Retry-After": "120"}))
    schedule_id = make(context, target)
    dispatch(context)
    with working(context) as worker:
        work_until(worker, context, lambda: context.repository.queues.depths().ready == 1)
    (waiting,) = events.pending(context, schedule_id, limit=1).items
    assert waiting.due == context.now() + timedelta(seconds=120)


def test_a_client_error_is_final_and_a_redirect_is_not_followed(context: Context, target: Receiver) -> None:
    for status in (404, 301):
        target.answer("/hook", Answer(status=status, headers={"Location": target.url("/other")}))
        schedule_id = make(context, target)
        work(context, 1, schedule_id)
        event = only(context, schedule_id)
        assert (event.state, len(event.attempts)) == (EventState.ERROR, 1)
    assert {call.path for call in target.requests} == {"/hook"}


def test_gone_ends_the_event_and_pauses_the_schedule(context: Context, target: Receiver) -> None:
    target.answer("/hook", Answer(status=410))
    schedule_id = make(context, target, rrule="FREQ=MINUTELY")
    dispatch(context)
    with working(context) as worker:
        work_until(worker, context, lambda: schedules.get(context, schedule_id).state is ScheduleState.PAUSED)
    assert "410" in (schedules.get(context, schedule_id).state_reason or "")
    assert nothing_queued(context)
    ended = events.history(context, schedule_id, limit=20).items
    assert sorted({event.state for event in ended}) == ["error", "superseded"]
    assert len(target.requests) == 1


def test_a_receiver_that_is_down_and_comes_back_gets_the_call(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    schedule_id = make(context, target)
    target.stop()
    dispatch(context)
    with working(context) as worker:
        work_until(worker, context, lambda: context.repository.queues.depths().ready == 1)
        target.start()
        clock.advance(timedelta(seconds=2))
        dispatch(context)
        work_until(worker, context, lambda: nothing_queued(context))
    event = only(context, schedule_id)
    assert event.state is EventState.COMPLETED
    assert event.attempts[0].error is not None
    assert event.attempts[1].status_code == 200


def test_an_event_of_an_older_rule_never_fires(context: Context, target: Receiver) -> None:
    schedule_id = make(context, target, rrule="DTSTART:20260302T120000Z\nRRULE:FREQ=MINUTELY;COUNT=1")
    dispatch(context)
    # Claimed before the change, so that the change itself cannot withdraw it.
    held = context.repository.queues.claim("other", 10, NO_LEASE)
    changes.update(context, schedule_id, {"rrule": "DTSTART:20260303T090000Z\nRRULE:FREQ=DAILY"})
    context.repository.queues.reap()
    assert len(held) == 1
    work(context, 1, schedule_id)
    assert only(context, schedule_id).state is EventState.SUPERSEDED
    assert target.requests == []


def test_an_event_of_an_older_revision_fires_if_the_rule_still_has_its_instant(
    context: Context, target: Receiver
) -> None:
    schedule_id = make(context, target, rrule="DTSTART:20260302T120000Z\nRRULE:FREQ=MINUTELY;COUNT=1")
    changes.update(context, schedule_id, {"rrule": "DTSTART:20260302T120000Z\nRRULE:FREQ=HOURLY"})
    work(context, 1, schedule_id)
    assert only(context, schedule_id).state is EventState.COMPLETED


def test_an_edit_of_the_request_reaches_events_that_are_queued(context: Context, target: Receiver) -> None:
    schedule_id = make(context, target)
    changes.update(context, schedule_id, {"callback_url": target.url("/new"), "method": "DELETE"})
    work(context, 1, schedule_id)
    assert [(call.method, call.path) for call in target.requests] == [("DELETE", "/new")]


def test_what_was_archived_before_the_worker_died_is_not_called_again(
    context: Context, target: Receiver
) -> None:
    """The crash lies between the archive and the deletion of the live event."""
    schedule_id = make(context, target)
    dispatch(context)
    (event,) = events.pending(context, schedule_id, limit=1).items
    context.repository.queues.claim("dead", 10, NO_LEASE)
    done = event.moved(EventState.COMPLETED, context.now(), "done by the dead worker")
    context.repository.events.archive([done], context.now())
    context.repository.events.add([structs.replace(event, id="f" * 24)])  # keeps the ledger from being empty
    context.repository.queues.reap()
    with working(context) as worker:
        worker.run_once(context.now())
    assert target.requests == []
    assert only(context, schedule_id).status[-1].message == "done by the dead worker"
    assert nothing_queued(context)


def test_claims_of_a_lost_worker_are_called_by_another(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    schedule_id = make(context, target)
    dispatch(context)
    assert len(context.repository.queues.claim("dead", 10, NO_LEASE)) == 1
    with working(context) as worker:
        clock.advance(timedelta(seconds=SETTLE_SECONDS))
        work_until(worker, context, lambda: nothing_queued(context))
    assert only(context, schedule_id).state is EventState.COMPLETED
    assert len(target.requests) == 1


def test_a_retry_that_came_back_too_early_waits_for_its_time(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    schedule_id = make(context, target)
    dispatch(context)
    (event,) = events.pending(context, schedule_id, limit=1).items
    due = context.now() + timedelta(minutes=5)
    context.repository.events.save([event.moved(EventState.RETRY, context.now(), "later", due=due)])
    with working(context) as worker:
        worker.run_once(context.now())
    assert target.requests == []
    assert context.repository.queues.head() == due


def test_late_occurrences_follow_the_misfire_policy(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    expected = {"all": 10, "latest": 1, "skip": 0}
    for policy, fired in expected.items():
        target.clear()
        schedule_id = make(context, target, rrule="FREQ=MINUTELY;COUNT=10", misfire={"policy": policy})
        clock.advance(timedelta(minutes=30))
        work(context, 10, schedule_id)
        assert len(target.requests) == fired, policy
        ended = events.history(context, schedule_id, limit=20).items
        assert sum(event.state is EventState.COMPLETED for event in ended) == fired
        assert sum(event.state is EventState.SKIPPED for event in ended) == 10 - fired


def test_overlap_skip_skips_while_an_earlier_one_has_not_ended(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    target.answer("/hook", Answer(status=503, headers={"Retry-After": "600"}))
    schedule_id = make(context, target, rrule="FREQ=MINUTELY;COUNT=2", overlap="skip")
    clock.advance(timedelta(seconds=59))
    dispatch(context)
    with working(context) as worker:
        work_until(worker, context, lambda: len(target.requests) == 1)
        clock.advance(timedelta(seconds=2))
        dispatch(context)
        work_until(worker, context, lambda: events.history(context, schedule_id, limit=1).total == 1)
    skipped = only(context, schedule_id)
    assert (skipped.state, f"{skipped.run_time:%H:%M}") == (EventState.SKIPPED, "12:01")
    assert len(target.requests) == 1


def test_overlap_queue_runs_one_at_a_time_in_order(
    context: Context, clock: FakeClock, target: Receiver
) -> None:
    schedule_id = make(
        context, target, rrule="FREQ=MINUTELY;COUNT=3", overlap="queue", misfire={"policy": "all"}
    )
    clock.advance(timedelta(minutes=2))
    dispatch(context)
    with working(context) as worker:
        for done in (1, 2, 3):
            # No time passes: each starts at once when the one before it has ended.
            work_until(
                worker,
                context,
                lambda done=done: events.history(context, schedule_id, limit=1).total >= done,
            )
            assert len(target.requests) <= done + 1
            assert context.repository.queues.depths().in_flight <= 1
    times = [call.headers["x-rrule-run-time"] for call in target.requests]
    assert times == sorted(times)
    assert len(times) == 3


def test_a_schedule_deleted_during_the_call_leaves_nothing_behind(context: Context, target: Receiver) -> None:
    target.answer("/hook", Answer(delay_seconds=0.3))
    schedule_id = make(context, target)
    dispatch(context)
    with working(context) as worker:
        work_until(worker, context, lambda: len(target.requests) == 1)
        schedules.delete(context, schedule_id)
        work_until(worker, context, lambda: nothing_queued(context))
    assert events.history(context, schedule_id, limit=1).total == 0
    assert events.pending(context, schedule_id, limit=1).total == 0


def test_an_event_of_a_schedule_that_cannot_be_read_ends_as_an_error(
    context: Context, target: Receiver
) -> None:
    schedule_id = make(context, target)
    schedule = context.repository.schedules.get([schedule_id])[schedule_id]
    broken: Any = replace(schedule, headers={"x-count": 1}, revision=2)
    assert context.repository.schedules.replace(broken, expected_revision=1)
    work(context, 1, schedule_id)
    event = only(context, schedule_id)
    assert event.state is EventState.ERROR
    assert event.status[-1].message.startswith("The schedule cannot be read")
    assert not target.requests
    assert nothing_queued(context)


def test_closing_gives_claims_back_to_the_others(context: Context, target: Receiver) -> None:
    target.answer("/hook", Answer(delay_seconds=0.3))
    schedule_id = make(context, target)
    dispatch(context)
    with working(context, "first") as worker:
        work_until(worker, context, lambda: len(target.requests) == 1)
        assert worker.finish() is not None
    assert context.repository.queues.depths().worker == 1
    work(context, 1, schedule_id)
    assert only(context, schedule_id).state is EventState.COMPLETED


def test_an_event_whose_schedule_is_gone_is_dropped(context: Context, target: Receiver) -> None:
    schedule_id = make(context, target)
    context.repository.schedules.remove(schedule_id)
    dispatch(context)
    with working(context) as worker:
        worker.run_once(context.now())
    assert nothing_queued(context)
    assert events.pending(context, schedule_id, limit=1).total == 0
    assert target.requests == []


def test_a_manual_run_fires_even_when_the_schedule_is_paused(context: Context, target: Receiver) -> None:
    schedule_id = make(context, target, rrule="FREQ=DAILY;BYHOUR=1")
    changes.pause(context, schedule_id)
    events.trigger(context, schedule_id)
    work(context, 1, schedule_id)
    event = only(context, schedule_id)
    assert (event.kind, event.state) == ("manual", EventState.COMPLETED)


def test_a_claim_whose_reply_was_lost_is_started_after_the_outage(context: Context, target: Receiver) -> None:
    schedule_id = make(context, target)
    dispatch(context)
    with working(context, "worker-1") as worker:
        worker._unsure = True  # as after a claim that raised
        context.repository.queues.claim("worker-1", 10, timedelta(seconds=30))
        work_until(worker, context, lambda: nothing_queued(context))
    assert only(context, schedule_id).state is EventState.COMPLETED


def test_a_claim_that_took_effect_after_the_outage_is_found_while_idle(
    context: Context, target: Receiver, clock: FakeClock
) -> None:
    schedule_id = make(context, target)
    dispatch(context)
    with working(context, "worker-1") as worker:
        context.repository.queues.claim("elsewhere", 10, timedelta(seconds=30))
        worker.run_once(context.now())
        context.repository.queues.release("elsewhere")
        context.repository.queues.claim("worker-1", 10, timedelta(seconds=30))
        worker.run_once(context.now())
        assert target.requests == []
        clock.advance(timedelta(seconds=LOOK_SECONDS))
        work_until(worker, context, lambda: nothing_queued(context))
    assert only(context, schedule_id).state is EventState.COMPLETED


def test_a_queue_entry_without_an_event_is_dropped(context: Context, target: Receiver) -> None:
    context.repository.queues.add([QueueEntry(event_id="a" * 24, due=context.now())])
    dispatch(context)
    with working(context) as worker:
        worker.run_once(context.now())
    assert nothing_queued(context)
