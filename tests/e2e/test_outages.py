"""Servers that go away under a running stack: everything waits, says so, and goes on when they are back."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.support import servers
from tests.support.load import add_schedules, all_ended
from tests.support.receiver import Receiver
from tests.support.stack import DAEMONS, client, environment, free_port, running, wait_until

UNREACHABLE = 5
PROMISED_SECONDS = 5.0

pytestmark = pytest.mark.servers


@pytest.fixture
def own_servers(mongo_uri: str, redis_url: str) -> Iterator[dict[str, servers.Server]]:
    """Servers that this test may kill; the session's fixtures say first whether there are any."""
    with ExitStack() as stack:
        yield {
            "mongo": stack.enter_context(servers.mongod()),
            "redis": stack.enter_context(servers.redis_server()),
        }


def settings_of(own: dict[str, servers.Server]) -> Settings:
    settings = Settings()
    mongo, redis = own["mongo"], own["redis"]
    assert isinstance(mongo, servers.MongoServer)
    assert isinstance(redis, servers.RedisServer)
    return replace(
        settings,
        mongo=replace(settings.mongo, uri=mongo.uri),
        redis=replace(settings.redis, url=redis.url),
    )


@pytest.mark.parametrize("victim", ["mongo", "redis"])
def test_the_stack_waits_for_its_servers_and_goes_on(
    victim: str, own_servers: dict[str, servers.Server], target: Receiver, tmp_path: Path
) -> None:
    store = settings_of(own_servers)
    with open_repository(store) as repository:
        repository.init()
        first = add_schedules(repository, target.url("/before"), 10, each=1, starting_in=timedelta(0))
        log = tmp_path / "log"
        with running(store, log, "api", *DAEMONS, API_PORT=str(free_port()), API_WORKERS="1") as stack:
            wait_until(lambda: all_ended(repository, first, 1))
            with client(stack) as http:
                own_servers[victim].kill()
                asked = time.monotonic()
                answer = http.get("/readyz")
                assert answer.status_code == 503
                assert time.monotonic() - asked < PROMISED_SECONDS
                assert answer.json()["error"]["code"] == "database_error"
                assert http.get("/healthz").status_code == 200
                wait_until(lambda: log.read_text().count("store_away") == len(DAEMONS))
                own_servers[victim].restart()
                wait_until(lambda: http.get("/readyz").status_code == 200)
            second = add_schedules(repository, target.url("/after"), 10, each=1, starting_in=timedelta(0))
            wait_until(lambda: all_ended(repository, second, 1), what="the calls after the outage")
        assert len(target.requests) == 20


@pytest.mark.parametrize("victim", ["mongo", "redis"])
def test_the_command_line_gives_up_with_a_hint(victim: str, own_servers: dict[str, servers.Server]) -> None:
    store = settings_of(own_servers)
    own_servers[victim].kill()
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "rrcli", "status"],
        env=environment(store),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == UNREACHABLE
    assert time.monotonic() - started < PROMISED_SECONDS
    assert victim in done.stderr.lower()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", DAEMONS)
def test_a_daemon_started_before_its_servers_waits_for_them(
    name: str, own_servers: dict[str, servers.Server], tmp_path: Path
) -> None:
    store = settings_of(own_servers)
    own_servers["mongo"].kill()
    own_servers["redis"].kill()
    log = tmp_path / "log"
    with running(store, log, name) as stack:
        wait_until(lambda: "store_away" in log.read_text())
        own_servers["mongo"].restart()
        own_servers["redis"].restart()
        wait_until(lambda: "store_back" in log.read_text())
        assert stack.processes[name].poll() is None
