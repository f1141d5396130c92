"""What daemons show to Prometheus, scraped as Prometheus does."""

import socket
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.request import urlopen

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from rrcli import exposition
from rrcli.core.retry import Outcome
from rrcli.metrics import CALLBACK_SECONDS, LATENESS, METRICS, PREFIX, SKIPPED, Kind, Tally
from rrcli.operations.context import Context
from rrcli.settings import MetricsSettings
from rrcli_daemons import measured
from rrcli_daemons.dispatcher import Dispatcher
from rrcli_daemons.prequeuer import Prequeuer
from tests.contract.samples import NOON, event, schedule
from tests.support.clock import FakeClock


class Daemon:
    """One with every figure that there is."""

    name = "worker"

    def __init__(self) -> None:
        self.tally = Tally()

    def counters(self) -> Mapping[str, float]:
        return {
            "completed": 3.0,
            "failed": 1.0,
            "retried": 2.0,
            "reaped": 4.0,
            "in_flight": 5.0,
            "other": 9.0,
        }


def parsed(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name.removeprefix(PREFIX), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def scraped(daemon: Any) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    declared = [each for each in METRICS if daemon.name in each.sources]
    return parsed(exposition.text(lambda: measured.readings(daemon), declared))


def outcome(status: int | None, *, late: float, took_ms: float) -> Outcome:
    error = None if status else "Connection refused"
    return Outcome(
        status_code=status, error=error, started=NOON + timedelta(seconds=late), duration_ms=took_ms
    )


def test_a_batch_of_calls_is_counted_and_measured() -> None:
    daemon = Daemon()
    live = replace(event(0), due=NOON)
    calls = [(live, outcome(200, late=0.003, took_ms=7)), (live, outcome(500, late=0.2, took_ms=400))]
    measured.note_calls(daemon.tally, [*calls, (live, outcome(None, late=90, took_ms=5))])
    found = scraped(daemon)
    assert found["callback_attempts_total", (("outcome", "success"),)] == 1
    assert found["callback_attempts_total", (("outcome", "http_error"),)] == 1
    assert found["callback_attempts_total", (("outcome", "connection_error"),)] == 1
    assert found["dispatch_lateness_seconds_count", ()] == 3
    assert found["dispatch_lateness_seconds_bucket", (("le", "0.005"),)] == 1
    assert found["dispatch_lateness_seconds_bucket", (("le", "0.25"),)] == 2
    assert found["dispatch_lateness_seconds_bucket", (("le", "+Inf"),)] == 3
    assert found["callback_duration_seconds_sum", ()] == pytest.approx(0.412)
    assert found["events_ended_total", (("state", "completed"),)] == 3
    assert found["callback_retries_total", ()] == 2
    assert found["lease_expired_events_total", ()] == 4
    assert found["callbacks_in_flight", ()] == 5


def test_a_value_on_a_bound_belongs_below_it() -> None:
    tally = Tally()
    tally.observe(LATENESS, [LATENESS.buckets[0]])
    (reading,) = tally.readings()
    assert reading.counts[0] == 1


def test_a_prequeuer_measures_its_ticks_and_skips(context: Context, clock: FakeClock) -> None:
    started = clock.now() - timedelta(hours=1)
    late = schedule(1, next_run=started, rrule=f"DTSTART:{started:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=MINUTELY")
    context.repository.schedules.add([late])
    prequeuer = Prequeuer(context)
    for _ in range(3):
        prequeuer.run_once(clock.now())
        clock.advance(timedelta(seconds=1))
    found = scraped(prequeuer)
    assert found["prequeuer_tick_duration_seconds_count", ()] >= 1
    assert found["prequeuer_ticks_total", ()] >= 1
    assert found["occurrences_queued_total", ()] > 0
    assert found["occurrences_skipped_total", (("reason", "misfire"),)] > 0


def test_a_dispatcher_is_counted(context: Context) -> None:
    assert scraped(Dispatcher(context))["events_dispatched_total", ()] == 0


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_next_free_port_is_taken(taken_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    start = exposition.start_http_server

    def remembered(*args: Any, **more: Any) -> Any:
        opened.append(start(*args, **more))
        return opened[-1]

    monkeypatch.setattr(exposition, "start_http_server", remembered)
    port = measured.serve(Daemon(), MetricsSettings(worker_port=taken_port))
    assert port is not None
    assert port > taken_port
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert parsed(answer.read())["callbacks_in_flight", ()] == 5
    finally:
        for server, thread in opened:
            server.shutdown()
            server.server_close()
            thread.join(5)


def test_without_a_port_nothing_is_opened() -> None:
    assert measured.serve(Daemon(), MetricsSettings()) is None


def test_names_follow_the_conventions_of_prometheus() -> None:
    assert len({each.name for each in METRICS}) == len(METRICS)
    for each in METRICS:
        assert (each.kind is Kind.COUNTER) == each.name.endswith("_total"), each.name
        if each.kind is Kind.HISTOGRAM:
            assert each.name.endswith("_seconds")
            assert list(each.buckets) == sorted(set(each.buckets))
        assert each.doc.endswith(".")
    assert {SKIPPED, CALLBACK_SECONDS} <= set(METRICS)
