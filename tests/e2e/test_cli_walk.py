"""The original's examples by command line, on a running stack, with real callbacks; locally and by REST."""

import json
import subprocess
import sys
from typing import Any

import pytest

from rrcli.repository.base import Repository
from tests.e2e.rules import RULES
from tests.support.leftovers import leftovers
from tests.support.receiver import Receiver
from tests.support.stack import Stack, client, wait_until


class Cli:
    """`rrcli` as a person types it, against the stack's store or its REST service."""

    def __init__(self, stack: Stack, where: str) -> None:
        self._environment = dict(stack.environment)
        if where == "remote":
            nowhere = {"MONGO_URI": "", "REDIS_URL": "", "RRCLI_DATA_DIR": "/dev/null/no/store"}
            server = f"http://127.0.0.1:{stack.environment['API_PORT']}"
            self._environment |= nowhere | {"RRCLI_SERVER": server}

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "rrcli", *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))


@pytest.fixture(params=["local", "remote"])
def rrcli(stack: Stack, request: pytest.FixtureRequest) -> Cli:
    with client(stack):
        return Cli(stack, request.param)


def test_the_six_examples_from_create_to_delete(rrcli: Cli, target: Receiver, repository: Repository) -> None:
    schedule_id = rrcli(
        *("schedule", "create", "--name", "Daily Backup", "--rrule", "FREQ=DAILY;INTERVAL=1"),
        *("--callback-url", target.url("/backup"), "--method", "POST"),
        *("-H", "Authorization: Bearer abc123", "-H", "Content-Type: application/json"),
        *("--body", '{"task":"backup"}', "-o", "ids"),
    ).strip()
    call = target.wait_for(1)[0]
    assert (call.method, call.path, call.body) == ("POST", "/backup", b'{"task":"backup"}')
    sent = {name.lower(): value for name, value in call.headers.items()}
    assert (sent["authorization"], sent["content-type"]) == ("Bearer abc123", "application/json")
    wait_until(lambda: len(rrcli.json("events", "history", schedule_id)) == 1)
    (event,) = rrcli.json("events", "history", schedule_id)
    assert event["state"] == "completed"
    assert "completed" in rrcli("events", "show", event["_id"])
    rrcli("schedule", "trigger", "Daily Backup")
    assert len(target.wait_for(2)) == 2

    rrcli("schedule", "update", schedule_id[:12], "--rrule", "FREQ=MINUTELY;INTERVAL=2")
    every_two = [each["run_time"] for each in rrcli.json("events", "pending", schedule_id)]
    assert len(every_two) in (4, 5)
    rrcli("schedule", "update", schedule_id, "--rrule", "FREQ=MINUTELY;INTERVAL=5")
    every_five = [each["run_time"] for each in rrcli.json("events", "pending", schedule_id)]
    assert len(every_five) in (1, 2)

    rrcli("schedule", "pause", schedule_id)
    assert rrcli.json("events", "pending", schedule_id) == []
    assert rrcli.json("schedule", "list", "--state", "paused")[0]["id"] == schedule_id
    rrcli("schedule", "resume", schedule_id)
    assert rrcli.json("events", "pending", schedule_id) != []

    rrcli("schedule", "delete", schedule_id, "--yes")
    assert leftovers(repository, schedule_id) == {}
    assert rrcli.json("schedule", "list") == []


def test_the_rules_of_the_original_occur_as_they_say(stack: Stack) -> None:
    rrcli = Cli(stack, "local")
    for rule in RULES:
        found = rrcli.json(
            *("preview", "--rrule", rule.text, "--after", "2025-01-01T00:00:00Z"),
            *("-n", str(len(rule.first)), "--tz", "UTC"),
        )
        assert tuple(each["utc"] for each in found) == rule.first, rule.name


def test_status_sees_the_stack(rrcli: Cli) -> None:
    wait_until(lambda: "gone" not in rrcli("status") and "worker" in rrcli("status"))
