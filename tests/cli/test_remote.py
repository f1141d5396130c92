"""`--server`: requests that are tried again or not, errors as exit codes, keys that are never shown."""

import json
from contextlib import closing
from datetime import timedelta

import httpx
import pytest

from rrcli.cli.main import main
from rrcli.cli.state import State
from rrcli.errors import StoreUnavailable
from rrcli.operations import api_keys
from rrcli.operations.context import Context
from rrcli.remote.client import Client
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings
from tests.cli.conftest import NOW, Result
from tests.support.receiver import receiver

KEY = "rrk_4f0c1d2e3a4b_" + "x" * 43
SERVER = "https://scheduler.example.org"


class Service:
    """Answers as told, and remembers what was asked; an exception is raised instead."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception] = []
        self.asked: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def asked():
    return Service()


@pytest.fixture
def remote(asked, clock, capsys):
    """Run a command line against the service that answers as told."""

    def call(*arguments: str, answers: list[httpx.Response | Exception]) -> Result:
        asked.answers = list(answers)
        client = Client(
            SERVER, KEY, transport=httpx.MockTransport(asked), wait=lambda each: asked.waits.append(each)
        )
        capsys.readouterr()
        line = [*arguments, "--server", SERVER, "--api-key", KEY]
        code = main(line, State(clock=clock, connect=lambda _: client))
        captured = capsys.readouterr()
        return Result(int(code), captured.out, captured.err)

    return call


def refusal(status: int, code: str, **extra: object) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": f"It is {code}.", **extra}})


EMPTY = httpx.Response(200, json={"schedules": [], "total": 0, "page": 1, "limit": 50})
CREATE = (
    "schedule",
    "create",
    "--name",
    "a",
    "--rrule",
    "FREQ=DAILY",
    "--callback-url",
    "http://127.0.0.1:9/",
)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal(404, "not_found"), 3),
        (refusal(422, "validation_failed", details=[{"field": "rrule", "allowed": "is wrong"}]), 4),
        (refusal(400, "invalid_request"), 4),
        (refusal(503, "database_error"), 5),
        (httpx.Response(502, text="<html>Bad gateway"), 5),
        (httpx.ConnectError("[Errno 111] Connection refused"), 5),
        (httpx.ReadTimeout("timed out"), 5),
        (refusal(409, "conflict"), 6),
        (refusal(401, "unauthorized"), 1),
        (refusal(403, "forbidden"), 1),
        (refusal(500, "internal_error"), 1),
        (httpx.Response(200, text="<html>another site"), 1),
    ],
    ids=str,
)
def test_each_answer_has_its_exit_code(remote, answer, code):
    result = remote("schedule", "list", answers=[answer])
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("Error: ")


def test_what_passes_is_tried_again_when_nothing_can_be_done_twice(remote, asked):
    answers = [httpx.ConnectError("refused"), httpx.Response(502), EMPTY]
    assert remote("schedule", "list", answers=answers).code == 0
    assert len(asked.asked) == 3
    assert asked.waits == [0.2, pytest.approx(0.6)]


def test_a_service_is_left_alone_for_as_long_as_it_says_but_not_for_ever(remote, asked):
    busy = (
        httpx.Response(429, headers={"Retry-After": "2"}),
        httpx.Response(429, headers={"Retry-After": "999"}),
    )
    assert remote("schedule", "list", answers=[*busy, EMPTY]).code == 0
    assert asked.waits == [2, 5]


def test_a_creation_whose_answer_was_lost_is_sent_again_under_the_same_key(remote, asked):
    result = remote(*CREATE, answers=[httpx.ReadTimeout("timed out")])
    assert result.code == 5
    assert "Whether it was done is not known" in result.err
    assert [request.method for request in asked.asked] == ["POST"] * 3
    assert len({request.headers["Idempotency-Key"] for request in asked.asked}) == 1


def test_each_change_of_one_command_has_a_key_of_its_own(asked):
    asked.answers = [httpx.Response(200, json={})]
    with closing(Client(SERVER, transport=httpx.MockTransport(asked))) as client:
        client.send("POST", "/api/a", {})
        client.make("/api/a", {})
    assert len({request.headers["Idempotency-Key"] for request in asked.asked}) == 2


def test_the_answer_of_a_try_that_is_still_under_way_is_waited_for(asked):
    held = httpx.Response(409, headers={"Retry-After": "1"}, json={"error": {"code": "conflict"}})
    asked.answers = [httpx.ReadError("cut"), held, held, held, httpx.Response(201, json={"id": "x"})]
    client = Client(SERVER, transport=httpx.MockTransport(asked), wait=asked.waits.append)
    assert client.make("/api/schedules", {}) == ({"id": "x"}, True)
    assert asked.waits == [0.2, 1, 1, 1]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_without_a_key_is_sent_again_only_if_it_was_not_sent(asked, method):
    client = Client(SERVER, transport=httpx.MockTransport(asked), wait=asked.waits.append)
    asked.answers = [httpx.ConnectError("refused"), httpx.ReadError("cut")]
    with pytest.raises(StoreUnavailable, match="not known"):
        client.send(method, "/api/schedules/x")
    assert len(asked.asked) == 2
    assert "Idempotency-Key" not in asked.asked[0].headers


def test_every_refused_field_is_told_under_its_option(remote):
    details = [
        {"field": "callback_url", "value": "x", "allowed": "must be a URL"},
        {"field": "headers.X", "allowed": "must be text"},
    ]
    result = remote(*CREATE, answers=[refusal(422, "validation_failed", details=details)])
    assert "--callback-url: must be a URL (got 'x')" in result.err
    assert "-H/--header X: must be text" in result.err


def test_the_key_goes_with_the_request_and_nowhere_else(remote, asked):
    for options in ([], ["-v"], ["-o", "json"]):
        for answer in (EMPTY, refusal(401, "unauthorized"), httpx.ConnectError(f"Bearer {KEY}")):
            result = remote("schedule", "list", *options, answers=[answer])
            assert KEY not in result.out + result.err
            assert "x" * 43 not in result.out + result.err
    assert {request.headers["Authorization"] for request in asked.asked} == {f"Bearer {KEY}"}


def test_the_key_is_masked_among_the_settings(run, monkeypatch):
    monkeypatch.setenv("RRCLI_API_KEY", KEY)
    assert KEY not in run("config", "show", "-o", "json").out


def test_a_key_in_the_clear_is_warned_of(clock, capsys):
    transport = httpx.MockTransport(lambda _: EMPTY)
    for server, warned in (("http://192.0.2.1", True), ("http://127.0.0.1", False), (SERVER, False)):
        state = State(clock=clock, connect=lambda each: Client(each.server, KEY, transport=transport))
        assert main(["schedule", "list", "--server", server, "--api-key", KEY], state) == 0
        assert ("in the clear" in capsys.readouterr().err) is warned


def test_a_certificate_that_nobody_vouches_for_is_refused(clock, capsys):
    with receiver(tls=True) as server:
        url = server.url("").rstrip("/")
        assert main(["schedule", "list", "--server", url, "--api-key", KEY], State(clock=clock)) == 5
        assert "CERTIFICATE_VERIFY_FAILED" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        *(["up"], ["api"], ["daemon", "worker"], ["demo"]),
        *(["db", "init"], ["db", "check"], ["db", "rekey"], ["db", "purge", "--older-than", "1d", "--yes"]),
        *(["apikey", "list"], ["apikey", "create", "--name", "a", "--scope", "read"]),
    ],
    ids=" ".join,
)
def test_what_a_server_does_not_do_for_others_is_refused_with_the_reason(run, service, line):
    result = run(*line, "--server", "http://localhost")
    assert result.code == 2
    assert "works where the store is" in result.err
    assert "without --server" in result.err


def test_a_wrong_address_is_refused_before_anything_is_sent(run):
    result = run("schedule", "list", "--server", "scheduler.example.org")
    assert result.code == 4
    assert "flag --server" in result.err


@pytest.fixture
def store(tmp_path, clock):
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        yield Context(repository=repository, clock=clock, settings=Settings())


def test_with_a_key_of_the_service_everything_works_and_values_are_revealed(run, create, store):
    create("job", "-H", "Authorization: Bearer abc")
    _, key = api_keys.create(store, name="admin", scope="admin")
    line = ("schedule", "show", "job", "--server", "http://localhost")
    assert run(*line).code == 1
    assert "Bearer abc" in run(*line, "--reveal", "--api-key", key).out
    _, reader = api_keys.create(store, name="reader", scope="read")
    assert run(*line, "--api-key", reader).code == 0
    refused = run("schedule", "pause", "job", "--server", "http://localhost", "--api-key", reader)
    assert refused.code == 1
    assert "scope write" in refused.err


def test_a_replay_in_several_requests_keeps_its_rate(run, create, store, monkeypatch):
    monkeypatch.setattr("rrcli.remote.service.ROWS_AT_ONCE", 10)
    schedule_id = create("busy", rule="DTSTART:20261123T110000Z\nRRULE:FREQ=MINUTELY")
    line = ("schedule", "replay", "busy", "--from", "2026-11-23T11:00:00Z", "--to", "now", "--rate", "1/s")
    result = run(*line, "-o", "json", "--server", "http://localhost")
    assert json.loads(result.out)["planned"] == 60
    waiting = store.repository.events.pending(schedule_id, limit=100).items
    due = sorted(event.due for event in waiting if event.kind == "backfill")
    assert due == [NOW + timedelta(seconds=number) for number in range(60)]


def test_an_audit_in_several_requests_counts_everything_once(run, create, store, monkeypatch):
    monkeypatch.setattr("rrcli.remote.service.ROWS_AT_ONCE", 7)
    create("busy", rule="DTSTART:20261123T110000Z\nRRULE:FREQ=MINUTELY")
    line = ("schedule", "audit", "busy", "--from", "2026-11-23T11:00:00Z", "-o", "json")
    assert run(*line, "--server", "http://localhost").out == run(*line).out
