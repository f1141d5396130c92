"""Single events: reading them, making one by hand, cancelling one."""

from rrcli.core.ids import Seed, occurrence_id
from rrcli.core.models import Event, EventState, Kind, Status
from rrcli.errors import Conflict, NotFound
from rrcli.operations import schedules
from rrcli.operations.context import Context
from rrcli.repository.base import Page, QueueEntry


def get(context: Context, event_id: str) -> Event:
    """One event, live or archived. Raises NotFound."""
    found = context.repository.events.find(event_id)
    if found is None:
        raise NotFound(f"There is no event {event_id}.", hint="List them: rrcli events history SCHEDULE")
    return found


def resolve(context: Context, reference: str) -> Event:
    """The event with an id or a unique beginning of one. Raises NotFound, or Conflict when several fit."""
    found = context.repository.events.resolve(reference)
    if not found:
        raise NotFound(f"No event has an id like {reference!r}.", hint="List: rrcli events history SCHEDULE")
    if len(found) > 1:
        several = ", ".join(each.id for each in found)
        raise Conflict(f"{reference!r} fits several events, such as {several}.", hint="Give more of the id.")
    return found[0]


def pending(context: Context, schedule_id: str | None, *, limit: int, offset: int = 0) -> Page[Event]:
    """Live events of one schedule or of all, next first."""
    return context.repository.events.pending(schedule_id, limit=limit, offset=offset)


def history(context: Context, schedule_id: str | None, *, limit: int, offset: int = 0) -> Page[Event]:
    """Finished events of one schedule or of all, newest first."""
    return context.repository.events.history(schedule_id, limit=limit, offset=offset)


def trigger(context: Context, schedule_id: str, *, seed: Seed | None = None) -> Event:
    """Call once, now, whatever the rule and state; the event is of kind manual.

    With the `seed` of an earlier try, its event comes back, and is queued if that try broke off before.
    """
    schedule = schedules.get(context, schedule_id)
    now = context.now()
    seed = seed or Seed.random(now)
    status = Status(time=now, status=EventState.READY, message="Triggered by hand")
    event = Event(
        id=occurrence_id(schedule.id, seed.at, Kind.MANUAL, seed.text),
        schedule_id=schedule.id,
        run_time=seed.at,
        due=seed.at,
        kind=Kind.MANUAL,
        revision=schedule.revision,
        status=(status,),
        created_at=now,
    )
    waiting = context.repository.events.add([event])
    context.repository.queues.add([QueueEntry(event_id=each.id, due=each.due) for each in waiting])
    return waiting[0] if waiting else context.repository.events.find(event.id) or event


def cancel(context: Context, event_id: str) -> Event:
    """Take a waiting event out of the queues for good.

    Raises NotFound, and Conflict when it has ended or is being called right now.
    """
    event = get(context, event_id)
    _require_live(event)
    queues = context.repository.queues
    # In no queue at all: an earlier try broke off half-way, or the queues were lost.
    if not queues.withdraw([event_id]) and not queues.missing([event_id]):
        raise Conflict(f"Event {event_id} is being called right now.", hint="Look at it again in a moment.")
    now = context.now()
    cancelled = event.moved(EventState.CANCELLED, now, "Cancelled by hand")
    context.repository.events.archive([cancelled], now)
    kept = get(context, event_id)
    if kept.state is not EventState.CANCELLED:
        _require_live(kept)
    return kept


def _require_live(event: Event) -> None:
    if event.state.final:
        raise Conflict(f"Event {event.id} has ended already, as {event.state}.")
