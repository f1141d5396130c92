"""Keys: who is let in, for what, and how soon a change counts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from falcon.inspect import inspect_routes
from falcon.testing import Result, TestClient

from rrcli.core.api_keys import Scope
from rrcli.errors import StoreUnavailable
from rrcli.operations import api_keys
from rrcli.operations.context import Context
from rrcli.settings import ApiSettings, Settings
from rrcli_api.app import create_app
from rrcli_api.guard import CACHE_SECONDS
from rrcli_api.pages.paths import is_page
from tests.support.clock import FakeClock

OPEN = ["/healthz", "/readyz", "/docs/openapi.yml", "/swagger-ui", "/swagger-ui/start.js"]
SCHEDULE = {"name": "x", "rrule": "FREQ=DAILY", "callback_url": "https://example.com/"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def key(context: Context) -> Callable[[Scope], str]:
    """Makes a key of that scope; its text."""
    return lambda scope: api_keys.create(context, name=f"a {scope} key", scope=scope)[1]


def refused(answer: Result, status: int, code: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.json["error"]["code"] == code
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="rrule-scheduler"')
    assert answer.headers["X-Request-Id"]
    return str(answer.json["error"]["message"])


def test_without_any_key_loopback_is_open(client: TestClient) -> None:
    assert client.simulate_get("/api/schedules").status_code == 200
    assert client.simulate_post("/api/schedules", json=SCHEDULE).status_code == 201


def test_with_one_key_every_route_but_health_and_description_needs_one(
    context: Context, client: TestClient, key: Callable[[Scope], str]
) -> None:
    key(Scope.READ)
    routes = inspect_routes(create_app(context))
    paths = {route.path.replace("{asset}", "start.js") for route in routes if not is_page(route.path)}
    assert set(OPEN) <= paths
    for path in paths | {"/nothing/here", "/metrics", "/API/schedules", "//healthz", "/healthz/x"}:
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            answer = client.simulate_request(method, path)
            if path in OPEN:
                assert answer.status_code not in (401, 403), path
            else:
                refused(answer, 401, "unauthorized")


@pytest.mark.parametrize("path", OPEN)
def test_health_and_description_are_open_to_all(
    client: TestClient, key: Callable[[Scope], str], path: str
) -> None:
    key(Scope.READ)
    for headers in ({}, bearer("wrong")):
        assert client.simulate_get(path, headers=headers).status_code in (200, 302)


@pytest.mark.parametrize(
    ("scope", "reads", "writes"), [(Scope.READ, 200, 403), (Scope.WRITE, 200, 201), (Scope.ADMIN, 200, 201)]
)
def test_a_scope_allows_what_it_includes(
    client: TestClient, key: Callable[[Scope], str], scope: Scope, reads: int, writes: int
) -> None:
    headers = bearer(key(scope))
    assert client.simulate_get("/api/schedules", headers=headers).status_code == reads
    preview = client.simulate_post("/api/preview", json={"rrule": "FREQ=DAILY"}, headers=headers)
    assert preview.status_code == reads
    answer = client.simulate_post("/api/schedules", json=SCHEDULE, headers=headers)
    assert answer.status_code == writes
    if writes == 403:
        assert "needs a key of scope write" in refused(answer, 403, "forbidden")
        assert 'scope="write"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer rrk_",
        "Bearer rrk_000000000000_" + "A" * 43,
        "Basic dTpw",
        "Bearer " + "x" * 5000,
        "Bearer rrk_é",
    ],
)
def test_what_is_no_key_is_refused(client: TestClient, key: Callable[[Scope], str], header: str) -> None:
    key(Scope.ADMIN)
    refused(client.simulate_get("/api/schedules", headers={"Authorization": header}), 401, "unauthorized")


def test_the_right_id_with_another_secret_is_refused(client: TestClient, key: Callable[[Scope], str]) -> None:
    text = key(Scope.ADMIN)
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    answer = client.simulate_get("/api/schedules", headers=bearer(wrong))
    assert refused(answer, 401, "unauthorized") == "This API key is unknown or revoked."
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert client.simulate_get("/api/schedules", headers=bearer(text)).status_code == 200


def test_a_key_costs_no_round_trip_for_some_seconds_and_a_revoked_one_works_no_longer(
    context: Context,
    client: TestClient,
    key: Callable[[Scope], str],
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = key(Scope.READ)
    looked = []
    get = context.repository.api_keys.get
    monkeypatch.setattr(context.repository.api_keys, "get", lambda id: (looked.append(id), get(id))[1])
    for _ in range(5):
        assert client.simulate_get("/api/schedules", headers=bearer(text)).status_code == 200
    assert len(looked) <= 2  # once, and once more because the use was noted
    api_keys.revoke(context, "a read key")
    clock.advance(timedelta(seconds=CACHE_SECONDS))
    refused(client.simulate_get("/api/schedules", headers=bearer(text)), 401, "unauthorized")


def test_revoking_the_last_key_opens_nothing(
    context: Context, client: TestClient, key: Callable[[Scope], str]
) -> None:
    key(Scope.ADMIN)
    api_keys.revoke(context, "a admin key")
    refused(client.simulate_get("/api/schedules"), 401, "unauthorized")


def test_the_last_use_is_written_once_a_minute(
    context: Context, client: TestClient, key: Callable[[Scope], str], clock: FakeClock
) -> None:
    headers = bearer(key(Scope.READ))
    start = context.now()
    for seconds, expected in ((0, 0), (30, 0), (29, 0), (1, 60)):
        clock.advance(timedelta(seconds=seconds))
        client.simulate_get("/api/schedules", headers=headers)
        (stored,) = context.repository.api_keys.list()
        assert stored.last_used_at == start + timedelta(seconds=expected)


def test_a_store_that_is_away_is_503_and_not_401(
    context: Context, client: TestClient, key: Callable[[Scope], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer(key(Scope.READ))

    def away(*_: object) -> None:
        raise StoreUnavailable("The store is away.")

    for name in ("get", "exist", "used"):
        monkeypatch.setattr(context.repository.api_keys, name, away)
    for given in ({}, headers):
        assert client.simulate_get("/api/schedules", headers=given).status_code == 503


@pytest.mark.parametrize(
    ("host", "allow", "status"),
    [
        ("127.0.0.1", False, 200),
        ("localhost", False, 200),
        ("::1", False, 200),
        ("0.0.0.0", False, 401),
        ("::", False, 401),
        ("192.0.2.1", False, 401),
        ("no such host", False, 401),
        ("0.0.0.0", True, 200),
    ],
)
def test_beyond_loopback_nothing_is_open_unless_the_settings_say_so(
    context: Context, host: str, allow: bool, status: int
) -> None:
    settings = Settings(api=ApiSettings(host=host, allow_anonymous=allow))
    client = TestClient(create_app(replace(context, settings=settings)), headers={"Host": "localhost"})
    assert client.simulate_get("/api/schedules").status_code == status
    assert client.simulate_get("/healthz").status_code == 200


def test_allowing_anonymous_requests_ends_with_the_first_key(
    context: Context, key: Callable[[Scope], str]
) -> None:
    settings = Settings(api=ApiSettings(host="0.0.0.0", allow_anonymous=True))
    key(Scope.READ)
    client = TestClient(create_app(replace(context, settings=settings)), headers={"Host": "localhost"})
    refused(client.simulate_get("/api/schedules"), 401, "unauthorized")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8080", 200),
        ("app.localhost", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("api", 200),
        ("evil.example", 401),
        ("evil.example:8080", 401),
        ("127.0.0.1.evil.example", 401),
    ],
)
def test_without_a_key_no_name_answers_that_a_web_page_could_have_led_here(
    client: TestClient, key: Callable[[Scope], str], clock: FakeClock, host: str, status: int
) -> None:
    for headers in ({"Host": host}, {"Host": host, "Authorization": "Basic dTpw"}):
        assert client.simulate_get("/api/schedules", headers=headers).status_code == status
    assert client.simulate_get("/healthz", headers={"Host": host}).status_code == 200
    text = key(Scope.READ)
    clock.advance(timedelta(seconds=CACHE_SECONDS))
    answer = client.simulate_get("/api/schedules", headers={"Host": host} | bearer(text))
    assert answer.status_code == 200


def test_values_are_revealed_to_an_admin_who_asks(
    client: TestClient, create: Callable[..., str], key: Callable[[Scope], str]
) -> None:
    schedule_id = create(headers={"Authorization": "Bearer canary"})
    path = f"/api/schedules/{schedule_id}"
    refused(client.simulate_get(path, params={"reveal": "true"}), 401, "unauthorized")
    write, admin = bearer(key(Scope.WRITE)), bearer(key(Scope.ADMIN))
    refused(client.simulate_get(path, params={"reveal": "true"}, headers=write), 403, "forbidden")
    for params in ({}, {"reveal": "false"}):
        assert "canary" not in client.simulate_get(path, params=params, headers=admin).text
    shown = client.simulate_get(path, params={"reveal": "true"}, headers=admin).json
    assert shown["headers"] == {"Authorization": "Bearer canary"}
    listed = client.simulate_get("/api/schedules", params={"reveal": "true"}, headers=admin)
    assert "canary" in listed.text
    refused(client.simulate_get("/api/schedules", params={"reveal": "true"}, headers=write), 403, "forbidden")


def test_no_key_is_in_the_store(context: Context, key: Callable[[Scope], str], tmp_path: Path) -> None:
    secret = key(Scope.ADMIN).split("_", 2)[2]
    context.repository.close()
    stored = b"".join(file.read_bytes() for file in tmp_path.rglob("store.db*"))
    assert secret.encode() not in stored
