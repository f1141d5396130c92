"""A daemon's figures for Prometheus: its counters, which it has anyway, and what it measures in batches."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from rrcli import metrics
from rrcli.core.models import Event
from rrcli.core.retry import Outcome, Verdict, judge
from rrcli.metrics import METRICS, Metric, Reading, Sample, Tally
from rrcli.settings import MetricsSettings

_COUNTERS: Mapping[str, tuple[Metric, tuple[str, ...]]] = {
    "queued": (metrics.QUEUED, ()),
    "ticks": (metrics.TICKS, ()),
    "reconciled": (metrics.RECONCILED, ()),
    "dispatched": (metrics.DISPATCHED, ()),
    "completed": (metrics.ENDED, ("completed",)),
    "failed": (metrics.ENDED, ("error",)),
    "retried": (metrics.RETRIES, ()),
    "reaped": (metrics.LEASES_EXPIRED, ()),
    "in_flight": (metrics.IN_FLIGHT, ()),
}


class Measured(Protocol):
    """What of a daemon is shown."""

    @property
    def name(self) -> str: ...

    @property
    def tally(self) -> Tally: ...

    def counters(self) -> Mapping[str, float]: ...


def serve(daemon: Measured, settings: MetricsSettings) -> int | None:
    """Show the daemon's figures on its port; None where it has none."""
    port: int = getattr(settings, f"{daemon.name}_port")
    if not port:
        return None
    from rrcli import exposition

    declared = [each for each in METRICS if daemon.name in each.sources]
    return exposition.serve(partial(readings, daemon), declared, host=settings.host, port=port)


def readings(daemon: Measured) -> Iterator[Reading]:
    """Everything as it is now."""
    for name, value in daemon.counters().items():
        if name in _COUNTERS:
            metric, labels = _COUNTERS[name]
            yield Sample(metric=metric, value=value, labels=labels)
    yield from daemon.tally.readings()


def note_calls(tally: Tally, calls: Sequence[tuple[Event, Outcome]]) -> None:
    """A batch of calls that have ended."""
    tally.observe(metrics.CALLBACK_SECONDS, [outcome.duration_ms / 1000 for _, outcome in calls])
    first = [(event, outcome) for event, outcome in calls if not event.attempts]
    tally.observe(
        metrics.LATENESS, [(outcome.started - event.due).total_seconds() for event, outcome in first]
    )
    numbers: dict[str, int] = {}
    for _, outcome in calls:
        ended = _outcome(outcome)
        numbers[ended] = numbers.get(ended, 0) + 1
    for ended, number in numbers.items():
        tally.count(metrics.ATTEMPTS, number, ended)


def _outcome(outcome: Outcome) -> str:
    if outcome.status_code is None or outcome.error is not None:
        return "connection_error"
    return "success" if judge(outcome) is Verdict.SUCCESS else "http_error"
