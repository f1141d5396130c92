"""Readings as Prometheus text (prometheus_client), and the small server of a daemon that shows them."""

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from rrcli.metrics import PREFIX, Distribution, Kind, Metric, Reading

log = logging.getLogger(__name__)

CONTENT_TYPE = CONTENT_TYPE_LATEST
PORTS_TRIED = 32
"""Several workers on one machine: each takes the first free port from the configured one on."""


class _Readings(Collector):
    def __init__(self, read: Callable[[], Iterable[Reading]], declared: Iterable[Metric]) -> None:
        self._read = read
        self._declared = tuple(declared)

    def describe(self) -> Iterable[Family]:
        """Nothing: to know the names the store would have to be asked."""
        return ()

    def collect(self) -> Iterator[Family]:
        """All declared metrics, those without a reading too: an alert on them must not stay silent."""
        families = {metric: _family(metric) for metric in self._declared}
        for reading in self._read():
            family = families.setdefault(reading.metric, _family(reading.metric))
            _enter(family, reading)
        yield from families.values()


def text(read: Callable[[], Iterable[Reading]], declared: Iterable[Metric]) -> bytes:
    """What `read` returns, as Prometheus reads it."""
    return generate_latest(_registry(read, declared))


def serve(
    read: Callable[[], Iterable[Reading]], declared: Iterable[Metric], *, host: str, port: int
) -> int | None:
    """Answer scrapes on a thread of its own; the port, or None when none is free: daemons work without."""
    for number in range(port, min(port + PORTS_TRIED, 65_536)):
        try:
            start_http_server(number, addr=host, registry=_registry(read, declared))
        except OSError:
            continue
        log.info("Metrics on port %d", number, extra={"action": "metrics", "port": number})
        return number
    log.warning("No port from %d on is free for metrics", port, extra={"action": "no_metrics_port"})
    return None


def _registry(read: Callable[[], Iterable[Reading]], declared: Iterable[Metric]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Readings(read, declared))
    return registry


def _family(metric: Metric) -> Family:
    name = PREFIX + metric.name
    if metric.kind is Kind.COUNTER:
        return CounterMetricFamily(name.removesuffix("_total"), metric.doc, labels=metric.labels)
    if metric.kind is Kind.GAUGE:
        return GaugeMetricFamily(name, metric.doc, labels=metric.labels)
    return HistogramMetricFamily(name, metric.doc, labels=metric.labels)


def _enter(family: Family, reading: Reading) -> None:
    if isinstance(reading, Distribution):
        assert isinstance(family, HistogramMetricFamily)
        bounds = [*map(str, reading.metric.buckets), "+Inf"]
        family.add_metric((), list(zip(bounds, accumulate(reading.counts), strict=True)), reading.total)
    else:
        assert isinstance(family, CounterMetricFamily | GaugeMetricFamily)
        family.add_metric(reading.labels, reading.value)
