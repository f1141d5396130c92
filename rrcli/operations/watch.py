"""Changes of events as they happen: two lists are read again and again, and compared with what was known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rrcli.core.models import Event, Status
from rrcli.operations.context import Context

LIVE, ENDED, GONE = 500, 200, 200
"""Events that one look reads: those that wait, those that ended last, and those that went out of sight."""

_REMEMBERED = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One status that an event has got."""

    event: Event
    step: Status


class Watch:
    """What has been seen of the events of one schedule, or of all."""

    def __init__(self, context: Context, schedule_id: str | None = None) -> None:
        self._context = context
        self._schedule_id = schedule_id
        self._steps: dict[str, int] = {}
        self._live: set[str] = set()
        self.missed = False

    def look(self) -> list[Change]:
        """What has changed since the last look, in the order of time; at first, all that is in sight.

        `missed` says whether more may have changed than two lists can show. Raises StoreUnavailable.
        """
        events = self._context.repository.events
        live = events.pending(self._schedule_id, limit=LIVE).items
        ended = events.history(self._schedule_id, limit=ENDED).items
        seen = {each.id: each for each in (*live, *ended)}
        lost = sorted(self._live - seen.keys())
        for event_id in lost[:GONE]:
            if event := events.find(event_id):
                seen[event_id] = event
        new = sum(each.id not in self._steps for each in ended)
        self.missed = bool(self._steps) and (new == ENDED or len(lost) > GONE)
        self._live = {each.id for each in live}
        return sorted(self._changes(seen.values()), key=lambda each: each.step.time)

    def _changes(self, seen: Iterable[Event]) -> Iterator[Change]:
        steps: dict[str, int] = {}
        for event in seen:
            for step in event.status[self._steps.get(event.id, 0) :]:
                yield Change(event=event, step=step)
            steps[event.id] = len(event.status)
        # What is out of sight may come back, and must not be told again.
        self._steps = steps if len(self._steps) > _REMEMBERED else self._steps | steps
