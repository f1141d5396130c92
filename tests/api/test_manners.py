"""Manners of HTTP: tags, gzip, other origins, limits, HEAD and OPTIONS."""

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from falcon.testing import TestClient

from rrcli.operations import api_keys
from rrcli.operations.context import Context
from rrcli_api.app import create_app
from rrcli_api.compression import takes_gzip
from rrcli_api.shared import Buckets
from tests.api.conftest import LOCAL
from tests.api.test_server import SERVICE, running
from tests.support.clock import FakeClock

Create = Callable[..., str]
HOME = "https://console.example.org"


def with_api(context: Context, **changes: Any) -> TestClient:
    settings = replace(context.settings, api=replace(context.settings.api, **changes))
    return TestClient(create_app(replace(context, settings=settings)), headers=LOCAL)


def test_what_is_known_is_not_sent_again(client: TestClient, create: Create, clock: FakeClock) -> None:
    path = f"/api/schedules/{create()}"
    tag = client.simulate_get(path).headers["ETag"]
    for known in (tag, f'"x", W/{tag}', "*", tag[:-1] + '-gzip"'):
        answer = client.simulate_get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    client.simulate_patch(path, json={"name": "Other"})
    assert client.simulate_get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_schedule_whose_next_run_moved_on_is_sent_again(
    client: TestClient, create: Create, clock: FakeClock
) -> None:
    path = f"/api/schedules/{create()}"
    tag = client.simulate_get(path).headers["ETag"]
    clock.advance(timedelta(minutes=1))
    assert client.simulate_get(path, headers={"If-None-Match": tag}).status_code == 200


def test_the_tag_of_what_was_read_guards_a_change(client: TestClient, create: Create) -> None:
    path = f"/api/schedules/{create()}"
    headers = {"If-Match": client.simulate_get(path).headers["ETag"]}
    assert client.simulate_patch(path, json={"name": "a"}, headers=headers).status_code == 200
    assert client.simulate_patch(path, json={"name": "b"}, headers=headers).status_code == 412


def test_long_answers_come_packed_to_those_who_take_it(client: TestClient, create: Create) -> None:
    path = f"/api/schedules/{create(body='x' * 5000)}"
    plain = client.simulate_get(path)
    assert (plain.headers.get("Content-Encoding"), plain.headers["Vary"]) == (None, "Accept-Encoding")
    packed = client.simulate_get(path, headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.content) == plain.content
    assert packed.headers["ETag"] == plain.headers["ETag"][:-1] + '-gzip"'
    headers = {"If-Match": packed.headers["ETag"]}
    assert client.simulate_patch(path, json={"name": "a"}, headers=headers).status_code == 200


def test_short_answers_stay_as_they_are(client: TestClient, create: Create) -> None:
    create(body="x" * 5000)
    answer = client.simulate_get("/healthz", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*", True),
        ("*;q=0", False),
        ("identity, deflate", False),
        ("x-gzip", True),
        ("gzip;q=nonsense", False),
        (",,gzip,", True),
    ],
)
def test_accept_encoding_is_read_as_the_standard_says(header: str | None, takes: bool) -> None:
    assert takes_gzip(header) is takes


@pytest.mark.parametrize("path", ["/api/schedules", "/api/events", "/healthz", "/docs/openapi.yml"])
def test_head_has_the_headers_of_get_and_no_body(client: TestClient, path: str) -> None:
    got, head = client.simulate_get(path), client.simulate_head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Length", "Vary"):
        assert head.headers.get(name) == got.headers.get(name), name


def test_options_says_what_is_possible(client: TestClient) -> None:
    answer = client.simulate_options("/api/schedules")
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "HEAD", "POST"}


def test_no_other_origin_is_let_in_unless_the_settings_name_it(client: TestClient) -> None:
    answer = client.simulate_get("/api/schedules", headers={"Origin": HOME})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_named_origin_may_ask_and_read(context: Context) -> None:
    client = with_api(context, cors_origins=(HOME,))
    _, key = api_keys.create(context, name="a", scope="write")
    asked = {"Origin": HOME, "Access-Control-Request-Method": "POST"}
    preflight = client.simulate_options("/api/schedules", headers=asked)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (204, HOME)
    assert "Idempotency-Key" in preflight.headers["Access-Control-Allow-Headers"]
    answer = client.simulate_get("/api/schedules", headers={"Origin": HOME, "Authorization": f"Bearer {key}"})
    assert answer.headers["Access-Control-Allow-Origin"] == HOME
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers["Vary"]
    for headers in ({"Origin": "https://evil.example"}, {}):
        other = client.simulate_get("/api/schedules", headers=headers)
        assert "Access-Control-Allow-Origin" not in other.headers
        assert "Origin" in other.headers["Vary"]
    refused = client.simulate_options("/api/schedules", headers=asked | {"Origin": "https://evil.example"})
    assert refused.status_code == 401


def test_a_key_that_asks_too_often_waits(context: Context, clock: FakeClock) -> None:
    client = with_api(context, rate_limit=2.0, rate_burst=3)
    keys = [api_keys.create(context, name=name, scope="read")[1] for name in "ab"]

    def ask(key: str) -> Any:
        return client.simulate_get("/api/calendars", headers={"Authorization": f"Bearer {key}"})

    assert [ask(keys[0]).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = ask(keys[0])
    assert (refused.json["error"]["code"], refused.headers["Retry-After"]) == ("rate_limited", "1")
    assert ask(keys[1]).status_code == 200
    assert client.simulate_get("/healthz").status_code == 200
    clock.advance(timedelta(seconds=0.5))
    assert [ask(keys[0]).status_code for _ in range(2)] == [200, 429]


def test_callers_are_limited_over_all_processes() -> None:
    buckets = Buckets()
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            taken = [buckets.take("a", 100.0, per_second=1, burst=10) == 0 for _ in range(5)]
            os._exit(sum(taken))
        children.append(child)
    taken = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sum(taken) == 10


def test_thousands_of_callers_have_their_own_bucket() -> None:
    buckets = Buckets()
    for number in range(3000):
        assert buckets.take(f"caller {number}", 100.0, per_second=1, burst=1) == 0
    again = [buckets.take(f"caller {number}", 100.0, per_second=1, burst=1) > 0 for number in range(3000)]
    assert sum(again) > 2990


def test_the_limit_holds_for_the_service_as_a_whole(tmp_path: Path) -> None:
    with running(SERVICE, tmp_path, API_WORKERS="3", API_RATE_LIMIT="0.01", API_RATE_BURST="10") as (_, port):
        url = f"http://127.0.0.1:{port}/api/calendars"
        statuses = [httpx.get(url).status_code for _ in range(25)]
    assert statuses.count(200) == 10
    assert statuses.count(429) == 15
