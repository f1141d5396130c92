"""What the store says of itself, as metrics: the same whichever process is asked."""

from collections import Counter
from collections.abc import Iterator

from rrcli import metrics
from rrcli.core.models import EventState, ScheduleState
from rrcli.metrics import Reading, Sample
from rrcli.operations.context import Context
from rrcli.operations.status import DAEMONS, status

_LIVE = tuple(state for state in EventState if not state.final)


def store_readings(context: Context) -> Iterator[Reading]:
    """Raises StoreUnavailable."""
    found = status(context)
    for state in ScheduleState:
        yield Sample(metric=metrics.SCHEDULES, value=found.schedules.get(state, 0), labels=(state,))
    for event_state in _LIVE:
        value = found.events.get(event_state, 0)
        yield Sample(metric=metrics.EVENTS, value=value, labels=(event_state,))
    depths = found.depths
    yield Sample(metric=metrics.PREQUEUED, value=depths.ready)
    for name, depth in (("ready", depths.ready), ("worker", depths.worker), ("in_flight", depths.in_flight)):
        yield Sample(metric=metrics.DEPTH, value=depth, labels=(name,))
    age = (found.now - depths.oldest_due).total_seconds() if depths.oldest_due else 0.0
    yield Sample(metric=metrics.OLDEST_DUE, value=max(age, 0.0))
    alive = Counter(each.daemon for each in found.heartbeats if found.alive(each))
    for daemon in DAEMONS:
        yield Sample(metric=metrics.DAEMONS, value=alive[daemon], labels=(daemon,))
