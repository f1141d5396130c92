"""Overlap policies: which of a schedule's unfinished events go before another."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from rrcli.core.models import Event, EventState
from rrcli.repository.base import Repository

WAITS = "Waits until an earlier occurrence has ended; overlap policy queue"

_STEP = timedelta(milliseconds=1)
_MOST = 1000


def is_overlapped(repository: Repository, event: Event, now: datetime) -> bool:
    """Whether another event of the schedule goes before this one and has not ended."""
    own = _order(event)
    return any(other.id != event.id and _order(other) < own for other in _due(repository, event, now))


def start_next(repository: Repository, schedule_id: str, now: datetime) -> None:
    """Hand the first of the waiting events to the workers at once: the one it waited for has ended.

    When this is lost in a crash, the event looks again by itself.
    """
    due = repository.events.unfinished(schedule_id, before=now + _STEP, limit=_MOST)
    waiting = [event for event in due if event.state is EventState.WORKER]
    if waiting:
        repository.queues.promote([min(waiting, key=_order).id])


def came_up(event: Event, now: datetime) -> datetime:
    """When its turn came first: waiting for another of its schedule does not make an event late."""
    waits = (step.time for step in event.status if step.message == WAITS)
    return next(waits, now)


def _due(repository: Repository, event: Event, now: datetime) -> Iterable[Event]:
    """Unfinished events whose run time has come, this one among them; the first two are often enough."""
    before = max(now, event.due) + _STEP
    for limit in (2, _MOST):
        found = repository.events.unfinished(event.schedule_id, before=before, limit=limit)
        yield from found
        if len(found) < limit:
            return


def _order(event: Event) -> tuple[bool, datetime, str]:
    """What was tried already goes first, then by when it was due, jitter included; then by id."""
    if event.attempts:
        return (False, event.attempts[0].time, event.id)
    return (True, event.due, event.id)
