"""/metrics of the API: the store's figures and the service's own, the same from all its processes."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
from falcon.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families

from rrcli.metrics import METRICS, PREFIX, Kind
from rrcli.operations import api_keys
from rrcli.operations.context import Context
from rrcli.repository.base import Heartbeat
from rrcli_api.shared import Requests
from tests.api.test_server import SERVICE, running
from tests.support.clock import FakeClock

Key = tuple[str, tuple[tuple[str, str], ...]]


def parsed(text: str) -> dict[Key, float]:
    return {
        (sample.name.removeprefix(PREFIX), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_it_shows_the_store(
    client: TestClient, context: Context, create: Callable[..., str], clock: FakeClock
) -> None:
    create()
    create(rrule="DTSTART:20300101T000000Z\nRRULE:FREQ=DAILY")
    now = clock.now()
    context.repository.heartbeats.beat(
        Heartbeat(daemon="worker", instance="i", host="h", pid=1, started_at=now, seen_at=now, detail={})
    )
    clock.advance(timedelta(seconds=7))
    answer = client.simulate_get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    found = parsed(answer.text)
    assert found["schedules", (("state", "active"),)] == 2
    assert found["schedules", (("state", "paused"),)] == 0
    assert found["live_events", (("state", "ready_queue"),)] == 10
    assert found["prequeued_occurrences", ()] == 10
    assert found["queue_depth", (("queue", "in_flight"),)] == 0
    assert found["oldest_due_age_seconds", ()] == 7
    assert found["daemons_alive", (("daemon", "worker"),)] == 1
    assert found["daemons_alive", (("daemon", "prequeuer"),)] == 0
    assert found["http_requests_total", (("method", "POST"), ("status", "2xx"))] == 2
    assert found["http_request_duration_seconds_count", ()] == 2


def test_all_that_is_declared_is_shown(client: TestClient) -> None:
    found = {family.name for family in text_string_to_metric_families(client.simulate_get("/metrics").text)}
    assert found == {
        PREFIX + (each.name.removesuffix("_total") if each.kind is Kind.COUNTER else each.name)
        for each in METRICS
        if "api" in each.sources
    }


def test_it_needs_a_key_where_there_are_keys(client: TestClient, context: Context) -> None:
    _, text = api_keys.create(context, name="prometheus", scope="read")
    assert client.simulate_get("/metrics").status_code == 401
    answer = client.simulate_get("/metrics", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 200


def test_processes_of_a_service_are_added_up() -> None:
    requests = Requests()
    for _ in range(3):
        child = os.fork()
        if child == 0:
            requests.note("GET", 200, 0.02)
            os._exit(0)
        os.waitpid(child, 0)
    requests.note("BREW", 500, 99.0)
    counts = {getattr(each, "labels", None): getattr(each, "value", None) for each in requests.readings()}
    assert counts[("GET", "2xx")] == 3
    assert counts[("other", "5xx")] == 1


def test_any_worker_process_answers_for_all(tmp_path: Path) -> None:
    with running(SERVICE, tmp_path, API_WORKERS="3") as (_, port):
        url = f"http://127.0.0.1:{port}"
        for _ in range(30):
            assert httpx.get(f"{url}/api/calendars").status_code == 200
        found = parsed(httpx.get(f"{url}/metrics").text)
    assert found["http_requests_total", (("method", "GET"), ("status", "2xx"))] >= 31
