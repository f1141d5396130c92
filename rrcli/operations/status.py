"""How the whole is doing: daemons alive, queues, schedules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rrcli.core.models import EventState, ScheduleState
from rrcli.operations.context import Context
from rrcli.repository.base import Depths, Heartbeat

HEARTBEAT_SECONDS = 5.0
"""How often a daemon gives a sign of life; one that is silent for three of these counts as gone."""

DAEMONS = ("prequeuer", "dispatcher", "worker")

_SHOWN = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """One look at everything; `heartbeats` are those of the last hour."""

    now: datetime
    store: str
    schedules: Mapping[ScheduleState, int]
    events: Mapping[EventState, int]
    depths: Depths
    heartbeats: tuple[Heartbeat, ...]

    def alive(self, heartbeat: Heartbeat) -> bool:
        """Whether the instance gave its sign of life in time."""
        return self.now - heartbeat.seen_at < timedelta(seconds=3 * HEARTBEAT_SECONDS)

    @property
    def absent(self) -> tuple[str, ...]:
        """Daemons of which no instance is alive."""
        present = {heartbeat.daemon for heartbeat in self.heartbeats if self.alive(heartbeat)}
        return tuple(daemon for daemon in DAEMONS if daemon not in present)


def status(context: Context) -> Status:
    """Raises StoreUnavailable."""
    now, repository = context.now(), context.repository
    return Status(
        now=now,
        store=repository.description,
        schedules=repository.schedules.counts(),
        events=repository.events.counts(),
        depths=repository.queues.depths(),
        heartbeats=tuple(repository.heartbeats.list(now - _SHOWN)),
    )
