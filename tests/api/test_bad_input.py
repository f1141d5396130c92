"""Everything wrong that a caller can send: refused, in the one shape, saying what is allowed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from falcon.testing import Result, StartResponseMock, TestClient, create_environ

GOOD = {"name": "Backup", "rrule": "FREQ=DAILY", "callback_url": "https://example.com/b"}
SOMEWHERE = "0" * 24
JSON = {"Content-Type": "application/json"}


def expect(answer: Result, status: int, code: str) -> dict[str, Any]:
    """The error, after checking its shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.json) == ["error"]
    error: dict[str, Any] = answer.json["error"]
    assert error["code"] == code
    assert error.keys() <= {"code", "message", "details"}
    assert error["message"]
    return error


def post(client: TestClient, **fields: Any) -> Result:
    return client.simulate_post("/api/schedules", json=GOOD | fields)


def raw(client: TestClient, body: bytes | str, **headers: str) -> Result:
    return client.simulate_post("/api/schedules", body=body, headers=JSON | headers)


REFUSED_FIELDS = {
    "not a rule": {"rrule": "every other day"},
    "unknown FREQ": {"rrule": "FREQ=FORTNIGHTLY"},
    "INTERVAL=0": {"rrule": "FREQ=DAILY;INTERVAL=0"},
    "rule of 100,000 characters": {"rrule": "FREQ=DAILY;BYHOUR=" + "1," * 50_000 + "1"},
    "rule one character too long": {"rrule": "FREQ=DAILY;BYHOUR=" + "1" * 6483},
    "rule that never fires": {"rrule": "DTSTART:20250101T000000Z\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"},
    "empty rule": {"rrule": ""},
    "unknown time zone": {"timezone": "Middle/Earth"},
    "ftp URL": {"callback_url": "ftp://example.com/b"},
    "URL without a host": {"callback_url": "/foo"},
    "URL with a line break": {"callback_url": "https://example.com/\r\nX: y"},
    "method FOO BAR": {"method": "FOO BAR"},
    "CRLF in a header": {"headers": {"X-A": "b\r\nX-C: d"}},
    "CRLF in a header's name": {"headers": {"X-A\r\nX-C": "d"}},
    "header of the connection": {"headers": {"Content-Length": "1"}},
    "header twice": {"headers": {"X-A": "1", "x-a": "2"}},
    "body over its limit": {"body": "x" * (256 * 1024 + 1)},
    "unknown field": {"naem": "x"},
    "read-only field": {"state": "paused"},
    "wrong type: text for a number": {"max_retries": "3"},
    "wrong type: number for text": {"name": 7},
    "wrong type: truth for a number": {"timeout_seconds": True},
    "wrong type: list for an object": {"retry": []},
    "number with a fraction": {"max_retries": 1.5},
    "number out of bounds": {"timeout_seconds": 0},
    "infinite number": {"timeout_seconds": 10**400},
    "null for what must be": {"name": None},
    "unknown word": {"overlap": "maybe"},
    "secret of the wrong form": {"secrets": ["hunter2"]},
    "too many tags": {"tags": ["t"] * 21},
    "NUL in a name": {"name": "a\x00b"},
    "mask for a header that is not stored": {"headers": {"Authorization": "********"}},
    "mask for a secret that is not stored": {"secrets": ["********"]},
}


@pytest.mark.parametrize("fields", REFUSED_FIELDS.values(), ids=REFUSED_FIELDS)
def test_a_wrong_field_is_named(client: TestClient, fields: dict[str, Any]) -> None:
    error = expect(post(client, **fields), 422, "validation_failed")
    (field,) = fields
    assert any(each["field"].startswith(field) for each in error["details"]), error


def test_all_wrong_fields_are_listed_at_once(client: TestClient) -> None:
    answer = client.simulate_post(
        "/api/schedules", json={"name": "", "callback_url": "x", "max_retries": -1, "retry": {"factor": 0}}
    )
    error = expect(answer, 422, "validation_failed")
    assert [each["field"] for each in error["details"]] == [
        "rrule",
        "name",
        "callback_url",
        "max_retries",
        "retry.factor",
    ]
    assert error["details"][-1] == {
        "field": "retry.factor",
        "value": 0,
        "allowed": "must be a number from 1 to 100",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": {"Authorization": "hunter2\n"}},
        {"headers": "Authorization: hunter2"},
        {"secrets": ["hunter2"]},
        {"secrets": "hunter2"},
        {"secret": "hunter2"},
        {"retry": {"token": "hunter2"}},
        {"tags": {"token": "hunter2"}},
        {"body": ["hunter2"]},
        {"callback_url": "ftp://me:hunter2@example.com/"},
    ],
    ids=str,
)
def test_what_may_be_secret_is_not_repeated(client: TestClient, fields: dict[str, Any]) -> None:
    answer = post(client, **fields)
    expect(answer, 422, "validation_failed")
    assert "hunter2" not in answer.text


def test_a_long_value_is_shortened(client: TestClient) -> None:
    error = expect(post(client, name="x" * 100_000), 422, "validation_failed")
    assert len(error["details"][0]["value"]) == 200


REFUSED_BODIES = {
    "not JSON": b"name=Backup",
    "nothing": b"",
    "invalid UTF-8": b'{"name": "\xff"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "half a surrogate pair": b'{"name": "\\ud800"}',
    "a name twice": b'{"name": "a", "name": "b"}',
    "a name twice inside": b'{"retry": {"factor": 2, "factor": 3}}',
    "a name twice among 80,000": b"{" + b"".join(b'"%d":1,' % n for n in range(80_000)) + b'"79999":1}',
    "NaN": b'{"timeout_seconds": NaN}',
    "Infinity": b'{"timeout_seconds": -Infinity}',
    "a list": b"[]",
    "text": b'"x"',
    "null": b"null",
    "two objects": b"{} {}",
    "a trailing comma": b'{"name": "x",}',
    "too deep": b'{"retry": ' + b"[" * 40 + b"]" * 40 + b"}",
    "much too deep": b"[" * 200_000,
    "too wide": json.dumps({f"x{number}": 1 for number in range(201)}).encode(),
    "a number of 10,000 digits": b'{"max_retries": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("body", REFUSED_BODIES.values(), ids=REFUSED_BODIES)
def test_what_is_not_a_plain_json_object_is_refused(client: TestClient, body: bytes) -> None:
    expect(raw(client, body), 400, "invalid_request")


def test_the_place_of_a_json_mistake_is_told(client: TestClient) -> None:
    error = expect(raw(client, '{"name":\n "x",,}'), 400, "invalid_request")
    assert "line 2, column 6" in error["message"]


def test_a_whole_number_may_be_written_with_a_point(client: TestClient) -> None:
    assert post(client, max_retries=3.0).status_code == 201


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "text/plain", "application/json; charset=latin-1", "nonsense"],
)
def test_another_content_type_is_refused(client: TestClient, kind: str) -> None:
    expect(raw(client, json.dumps(GOOD), **{"Content-Type": kind}), 415, "invalid_request")


def test_a_compressed_body_is_refused(client: TestClient) -> None:
    answer = raw(client, json.dumps(GOOD), **{"Content-Type": "application/json", "Content-Encoding": "gzip"})
    expect(answer, 415, "invalid_request")
    assert answer.headers["Accept-Encoding"] == "identity"


def test_a_missing_content_type_is_refused(client: TestClient) -> None:
    expect(client.simulate_post("/api/schedules", body=json.dumps(GOOD)), 415, "invalid_request")


def test_json_may_say_its_charset(client: TestClient) -> None:
    kind = 'application/JSON; charset="UTF-8"'
    assert raw(client, json.dumps(GOOD), **{"Content-Type": kind}).status_code == 201


def test_a_body_over_one_mebibyte_is_refused(client: TestClient) -> None:
    padding = " " * (1024 * 1024)
    expect(raw(client, json.dumps(GOOD) + padding), 413, "invalid_request")


def test_a_body_of_one_mebibyte_is_read(client: TestClient) -> None:
    body = json.dumps(GOOD)
    assert raw(client, body + " " * (1024 * 1024 - len(body))).status_code == 201


def test_a_wrong_content_length_is_refused(client: TestClient) -> None:
    environ = create_environ("/api/schedules", method="POST", headers=JSON | {"Content-Length": "x"})
    expect(call(client, environ), 400, "invalid_request")


ID_PATHS = [
    ("GET", "/api/schedules/{}"),
    ("PUT", "/api/schedules/{}"),
    ("PATCH", "/api/schedules/{}"),
    ("DELETE", "/api/schedules/{}"),
    ("POST", "/api/schedules/{}/pause"),
    ("POST", "/api/schedules/{}/resume"),
    ("POST", "/api/schedules/{}/trigger"),
    ("GET", "/api/schedules/{}/occurrences"),
    ("GET", "/api/schedules/{}/events/pending"),
    ("GET", "/api/schedules/{}/events/history"),
    ("GET", "/api/events/{}"),
    ("POST", "/api/events/{}/cancel"),
]


@pytest.mark.parametrize(("method", "path"), ID_PATHS)
@pytest.mark.parametrize("wrong", ["x", SOMEWHERE[1:], SOMEWHERE + "0", "G" * 24, "A" * 24, "%C3%A9", "%00"])
def test_an_id_of_the_wrong_form_is_refused(client: TestClient, method: str, path: str, wrong: str) -> None:
    body = "{}" if method in ("PUT", "PATCH") else None
    answer = client.simulate_request(method, path.format(wrong), body=body, headers=JSON)
    expect(answer, 400, "invalid_request")


@pytest.mark.parametrize(("method", "path"), ID_PATHS)
def test_an_id_that_does_not_exist_is_not_found(client: TestClient, method: str, path: str) -> None:
    body = "{}" if method in ("PUT", "PATCH") else None
    answer = client.simulate_request(method, path.format(SOMEWHERE), body=body, headers=JSON)
    expect(answer, 404, "not_found")


LISTS = [
    "/api/schedules",
    "/api/events",
    "/api/schedules/{}/events/pending",
    "/api/schedules/{}/events/history",
]
REFUSED_QUERIES = [
    "page=0",
    "page=-1",
    "page=x",
    "page=",
    "page=1.0",
    "page=10001",
    "limit=0",
    "limit=1001",
    "limit=1000000000",
    "limit=99999999999999999999999999",
    "limit=5&limit=6",
    "state=nowhere",
    "colour=red",
    "page=%ZZ",
    "page=%FF",
    "limit=%",
]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", REFUSED_QUERIES)
def test_a_wrong_parameter_is_refused(
    client: TestClient, create: Callable[..., str], path: str, query: str
) -> None:
    answer = client.simulate_get(path.format(create()), query_string=query)
    expect(answer, 400, "invalid_request")


def test_all_wrong_parameters_are_listed_at_once(client: TestClient) -> None:
    answer = client.simulate_get("/api/schedules?page=0&limit=1000000000&lmit=3")
    error = expect(answer, 400, "invalid_request")
    assert error["details"] == [
        {"field": "page", "value": 0, "allowed": "must be a whole number from 1 to 10000"},
        {"field": "limit", "value": 10**9, "allowed": "must be a whole number from 1 to 1000"},
        {"field": "lmit", "allowed": "is not a parameter here; limit is"},
    ]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs/openapi.yml", "/swagger-ui", "/api/preview"])
def test_no_path_ignores_a_parameter(client: TestClient, path: str) -> None:
    method = "POST" if path == "/api/preview" else "GET"
    expect(client.simulate_request(method, path, query_string="x=1"), 400, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_body_is_not_ignored_where_none_is_read(
    client: TestClient, create: Callable[..., str], method: str
) -> None:
    answer = client.simulate_request(method, f"/api/schedules/{create()}", body="{}", headers=JSON)
    expect(answer, 400, "invalid_request")


@pytest.mark.parametrize("action", ["resume", "trigger"])
def test_an_action_without_fields_names_those_it_gets(
    client: TestClient, create: Callable[..., str], action: str
) -> None:
    path = f"/api/schedules/{create()}/{action}"
    error = expect(client.simulate_post(path, json={"why": "x"}), 422, "validation_failed")
    assert error["details"] == [{"field": "why", "allowed": "is not a field; none is taken"}]
    assert client.simulate_post(path, json={}).status_code in (200, 201)


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/schedules/a/b/c/d", "/swagger-ui/../etc"])
def test_an_unknown_path_is_not_found(client: TestClient, path: str) -> None:
    expect(client.simulate_get(path), 404, "not_found")


def test_a_method_that_is_not_there_is_told_with_those_that_are(client: TestClient) -> None:
    answer = client.simulate_put("/api/schedules", json={})
    expect(answer, 405, "invalid_request")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}


@pytest.mark.parametrize("method", ["BREW", "WEBSOCKET"])
def test_a_method_that_nobody_knows_is_refused(client: TestClient, method: str) -> None:
    environ = create_environ("/api/schedules") | {"REQUEST_METHOD": method}
    answer = call(client, environ)
    expect(answer, 400, "invalid_request")
    assert answer.headers["X-Request-Id"]


def call(client: TestClient, environ: dict[str, Any]) -> Result:
    """What a WSGI server would get, without the checks that the test client makes of what it sends."""
    answer = StartResponseMock()
    body = client.app(environ | {"HTTP_HOST": "localhost"}, answer)
    return Result(body, answer.status or "", answer.headers or ())
