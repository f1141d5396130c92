"""Records for the contract suite: valid ones, with only what a test is about spelt out."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rrcli.core.ids import occurrence_id, random_id
from rrcli.core.models import Event, EventState, Schedule, Status
from rrcli.repository.base import QueueEntry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = timedelta(hours=1)
# A lease of no length has run out at once: no test needs to wait.
NO_TIME = timedelta(0)


def after(seconds: float) -> datetime:
    """The instant `seconds` after NOON."""
    return NOON + timedelta(seconds=seconds)


def schedule_id(number: int) -> str:
    """Ids that ascend with `number`."""
    return random_id(after(number), number.to_bytes(8, "big"))


def schedule(number: int = 1, **changes: Any) -> Schedule:
    """An active schedule, due `number` seconds after NOON."""
    fields: dict[str, Any] = {
        "id": schedule_id(number),
        "name": f"schedule {number}",
        "rrule": "DTSTART:20260301T120000Z\nRRULE:FREQ=MINUTELY",
        "callback_url": "http://127.0.0.1:9/",
        "next_run": after(number),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Schedule(**fields | changes)


def event(number: int = 1, *, state: EventState = EventState.READY, **changes: Any) -> Event:
    """An event of schedule 1 whose run time is `number` seconds after NOON; ids ascend with `number`."""
    run_time = after(number)
    owner = changes.get("schedule_id", schedule_id(1))
    fields: dict[str, Any] = {
        "id": occurrence_id(owner, run_time),
        "schedule_id": owner,
        "run_time": run_time,
        "due": run_time,
        "revision": 1,
        "status": (Status(time=NOON, status=state, message="A step of a test."),),
        "created_at": NOON,
    }
    return Event(**fields | changes)


def ended(live: Event, state: EventState = EventState.COMPLETED, message: str = "It ended.") -> Event:
    """The event with a final status."""
    return live.moved(state, NOON, message)


def entry(event_id: str, seconds: float = 0) -> QueueEntry:
    """A queue entry due `seconds` after NOON."""
    return QueueEntry(event_id=event_id, due=after(seconds))
