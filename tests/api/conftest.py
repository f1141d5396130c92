"""The service on a real embedded store, at noon on 4 January 2025 until a test moves the clock."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from falcon.testing import TestClient

from rrcli.operations.context import Context
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings
from rrcli_api.app import create_app
from tests.support.clock import FakeClock

LOCAL = {"Host": "localhost"}
"""Falcon's own default is a name with a dot, to which the service does not answer without a key."""

NOW = datetime(2025, 1, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def context(tmp_path: Path, clock: FakeClock) -> Iterator[Context]:
    with SqliteRepository.open(tmp_path / "store.db", clock) as repository:
        yield Context(repository=repository, clock=clock, settings=Settings())


@pytest.fixture
def client(context: Context) -> TestClient:
    return TestClient(create_app(context), headers=LOCAL)


@pytest.fixture
def create(client: TestClient) -> Callable[..., str]:
    """Makes a schedule through the service; its id."""

    def make(**fields: Any) -> str:
        body = {"name": "Backup", "rrule": "FREQ=MINUTELY", "callback_url": "https://example.com/b"} | fields
        answer = client.simulate_post("/api/schedules", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    return make
