"""What is counted and measured, declared once: daemons and API expose it, docs/reference/metrics.md lists it.

Counting is plain arithmetic on lists and dictionaries, so that nothing on a hot path waits for a lock or
imports a library; `rrcli.exposition` turns it into Prometheus text when somebody asks.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "rrule_scheduler_"


class Kind(StrEnum):
    """As Prometheus has them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One declared metric; `name` is without the prefix. `sources` are the programs that expose it."""

    name: str
    kind: Kind
    doc: str
    sources: tuple[str, ...]
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _counter(name: str, source: str, doc: str, *labels: str) -> Metric:
    return Metric(name=name, kind=Kind.COUNTER, doc=doc, sources=(source,), labels=labels)


def _gauge(name: str, source: str, doc: str, *labels: str) -> Metric:
    return Metric(name=name, kind=Kind.GAUGE, doc=doc, sources=(source,), labels=labels)


def _histogram(name: str, source: str, doc: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    return Metric(name=name, kind=Kind.HISTOGRAM, doc=doc, sources=(source,), labels=labels, buckets=buckets)


_LATENESS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)
_DURATION = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_TICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)

SCHEDULES = _gauge("schedules", "api", "Schedules in the store.", "state")
EVENTS = _gauge(
    "live_events", "api", "Occurrences that are queued, being called, or waiting for a retry.", "state"
)
PREQUEUED = _gauge("prequeued_occurrences", "api", "Occurrences that wait for their time in the ready queue.")
DEPTH = _gauge("queue_depth", "api", "Entries of a queue: ready, worker, in_flight.", "queue")
OLDEST_DUE = _gauge(
    "oldest_due_age_seconds", "api", "Since when the first entry of the ready queue is due; 0 when none is."
)
DAEMONS = _gauge("daemons_alive", "api", "Daemon processes that gave a sign of life in time.", "daemon")
REQUESTS = _counter("http_requests_total", "api", "Requests that were answered.", "method", "status")
REQUEST_SECONDS = _histogram(
    "http_request_duration_seconds", "api", "Time from a request's head to its answer.", _DURATION
)

QUEUED = _counter("occurrences_queued_total", "prequeuer", "Occurrences put into the ready queue.")
TICK_SECONDS = _histogram(
    "prequeuer_tick_duration_seconds", "prequeuer", "Time of one pass over due schedules.", _TICK
)
TICKS = _counter("prequeuer_ticks_total", "prequeuer", "Ticks: how often the window was looked at anew.")
RECONCILED = _counter(
    "reconciled_events_total", "prequeuer", "Live events that stood in no queue and were queued again."
)

DISPATCHED = _counter(
    "events_dispatched_total", "dispatcher", "Events handed to the workers, up to 100 ms ahead of their time."
)

ATTEMPTS = _counter(
    "callback_attempts_total",
    "worker",
    "Calls that ended: success, http_error, or connection_error where no answer came.",
    "outcome",
)
ENDED = _counter("events_ended_total", "worker", "Events that were called and have ended.", "state")
RETRIES = _counter("callback_retries_total", "worker", "Failed calls that will be made again.")
IN_FLIGHT = _gauge("callbacks_in_flight", "worker", "Calls that this worker is making, or is about to begin.")
LATENESS = _histogram(
    "dispatch_lateness_seconds", "worker", "From when an event is due to its first call.", _LATENESS
)
CALLBACK_SECONDS = _histogram(
    "callback_duration_seconds", "worker", "From the start of a call to the end of its answer.", _DURATION
)
LEASES_EXPIRED = _counter(
    "lease_expired_events_total", "worker", "Events taken back from workers whose lease had run out."
)
SKIPPED = Metric(
    name="occurrences_skipped_total",
    kind=Kind.COUNTER,
    doc="Occurrences that did not fire: misfire, overlap, excluded (by hand or on a holiday).",
    sources=("prequeuer", "worker"),
    labels=("reason",),
)

METRICS = tuple(each for each in list(vars().values()) if isinstance(each, Metric))


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A value of a counter or gauge, with the values of the metric's labels."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """A histogram: how many values fell into each bucket (the last: above all bounds), and their sum."""

    metric: Metric
    counts: Sequence[float]
    total: float


Reading = Sample | Distribution


class Tally:
    """What one process has counted so far. One thread counts; any other may read meanwhile."""

    def __init__(self) -> None:
        self._counts: dict[tuple[Metric, tuple[str, ...]], float] = {}
        self._buckets: dict[Metric, list[int]] = {}
        self._totals: dict[Metric, float] = {}

    def count(self, metric: Metric, amount: float = 1.0, *labels: str) -> None:
        """Add to a counter."""
        key = (metric, labels)
        self._counts[key] = self._counts.get(key, 0.0) + amount

    def observe(self, metric: Metric, values: Iterable[float]) -> None:
        """Enter a batch of values into a histogram."""
        buckets = self._buckets.setdefault(metric, [0] * (len(metric.buckets) + 1))
        bounds, total = metric.buckets, 0.0
        for value in values:
            buckets[bisect_left(bounds, value)] += 1
            total += value
        self._totals[metric] = self._totals.get(metric, 0.0) + total

    def readings(self) -> Iterator[Reading]:
        """Everything as it is now."""
        for (metric, labels), value in list(self._counts.items()):
            yield Sample(metric=metric, value=value, labels=labels)
        for metric, buckets in list(self._buckets.items()):
            yield Distribution(metric=metric, counts=tuple(buckets), total=self._totals.get(metric, 0.0))
