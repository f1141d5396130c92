"""What a caller sees when this side fails, and what every answer carries."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from falcon.testing import TestClient

from rrcli.errors import SchedulerError, StoreCorrupt, StoreUnavailable
from rrcli.operations.context import Context
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import EmbeddedSettings, Loaded, Settings
from rrcli_api.app import create_waiting_app
from rrcli_api.wsgi import Service
from tests.support.clock import FakeClock

Create = Callable[..., str]


class Broken:
    """A part of the store that fails whatever is asked of it."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: object, **__: object) -> Any:
            raise self._error

        return fail


@pytest.fixture
def broken(context: Context, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Breaks every part of the store."""

    def make(error: Exception) -> None:
        for part in ("schedules", "events", "queues"):
            monkeypatch.setattr(context.repository, part, Broken(error))
        monkeypatch.setattr(SqliteRepository, "ping", lambda self, **_: Broken(error).ping())

    return make


PATHS = ["/api/schedules", f"/api/schedules/{'0' * 24}", "/api/events", f"/api/events/{'0' * 24}", "/readyz"]


@pytest.mark.parametrize("path", PATHS)
def test_a_store_that_is_away_is_told_and_when_to_try_again(
    client: TestClient, broken: Callable[[Exception], None], path: str
) -> None:
    broken(StoreUnavailable("MongoDB at mongodb://me:hunter2@db.example cannot be reached"))
    answer = client.simulate_get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.json["error"]["code"] == "database_error"
    assert "db.example cannot be reached" in answer.json["error"]["message"]
    assert "hunter2" not in answer.text
    assert client.simulate_get("/healthz").json == {"status": "ok"}


def test_a_store_that_cannot_be_read_is_told(client: TestClient, broken: Callable[[Exception], None]) -> None:
    broken(StoreCorrupt("The file is of a newer version."))
    assert client.simulate_get("/api/schedules").status_code == 503


def test_a_surprise_is_logged_under_its_id_and_not_shown(
    client: TestClient, broken: Callable[[Exception], None], caplog: pytest.LogCaptureFixture
) -> None:
    broken(RuntimeError("hunter2"))
    answer = client.simulate_get("/api/schedules", headers={"X-Request-Id": "mine-1"})
    assert answer.status_code == 500
    assert answer.json["error"]["code"] == "internal_error"
    assert "mine-1" in answer.json["error"]["message"]
    assert "hunter2" not in answer.text
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert vars(record)["request_id"] == "mine-1"
    assert record.exc_info


def test_an_error_without_a_status_is_a_surprise(
    client: TestClient, broken: Callable[[Exception], None]
) -> None:
    broken(SchedulerError("nobody gave this one a code"))
    assert client.simulate_get("/api/schedules").status_code == 500


@pytest.mark.parametrize("given", ["mine-1", "a" * 64, "A.b_c-9"])
def test_a_request_id_is_kept(client: TestClient, given: str) -> None:
    assert client.simulate_get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "a;b", "<script>"])
def test_a_request_id_that_could_do_harm_is_replaced(client: TestClient, given: str) -> None:
    made = client.simulate_get("/nowhere", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert made != given
    assert len(made) == 16


def test_a_request_is_one_line_in_the_log_without_what_may_be_secret(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rrcli_api")
    client.simulate_get("/api/schedules?token=hunter2", headers={"Authorization": "Bearer hunter2"})
    client.simulate_get("/healthz")
    client.simulate_get("/a%0Ab")
    assert [record.getMessage() for record in caplog.records] == [
        "GET /api/schedules answered 400",
        "GET /a%0Ab answered 404",
    ]
    line = vars(caplog.records[0])
    assert (line["action"], line["method"], line["path"]) == ("http_request", "GET", "/api/schedules")
    assert (line["status"], line["ms"]) == (400, 0.0)
    assert "hunter2" not in str(line)


@pytest.mark.parametrize(
    "path", ["/api/schedules", "/healthz", "/readyz", "/docs/openapi.yml", "/swagger-ui"]
)
def test_head_answers_as_get_without_the_body(client: TestClient, path: str) -> None:
    get, head = client.simulate_get(path), client.simulate_head(path)
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(get.content))


def test_options_tells_what_a_path_can_do(client: TestClient, create: Create) -> None:
    answer = client.simulate_options(f"/api/schedules/{create()}")
    assert answer.status_code == 200
    assert {"GET", "HEAD", "PUT", "PATCH", "DELETE"} <= set(answer.headers["Allow"].split(", "))


def test_a_slash_at_the_end_makes_no_difference(client: TestClient) -> None:
    assert client.simulate_get("/api/schedules/").json == client.simulate_get("/api/schedules").json


def test_while_the_store_cannot_be_opened_the_process_lives_and_says_so(clock: FakeClock) -> None:
    client = TestClient(create_waiting_app(clock, StoreUnavailable("The folder cannot be written to.")))
    for path in ("/healthz", "/docs/openapi.yml", "/swagger-ui"):
        assert client.simulate_get(path).status_code == 200
    assert client.simulate_get("/nowhere").status_code == 404
    for path in ("/readyz", "/api/schedules", "/api/events/x/y/z"):
        answer = client.simulate_get(path)
        assert (answer.status_code, answer.json["error"]["code"]) == (503, "database_error")


def test_the_service_opens_its_store_at_the_first_request_and_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rrcli.log.setup", lambda *_: None)
    monkeypatch.setattr("rrcli_api.wsgi._AGAIN_SECONDS", 0.0)
    place = tmp_path / "data"
    place.write_text("a file where the folder should be")
    loaded = Loaded(settings=Settings(embedded=EmbeddedSettings(data_dir=str(place))), sources={}, file=None)
    client = TestClient(Service(lambda: loaded), headers={"Host": "localhost"})
    assert client.simulate_get("/healthz").status_code == 200
    assert client.simulate_get("/readyz").status_code == 503
    place.unlink()
    assert client.simulate_get("/readyz").json == {"status": "ready"}
    assert client.simulate_get("/api/schedules").json["total"] == 0
