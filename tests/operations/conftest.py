"""A context on every backend, with a clock that the test moves."""

from datetime import UTC, datetime

import pytest

from rrcli.operations.context import Context
from rrcli.repository.base import Repository
from rrcli.settings import Settings
from tests.support.clock import FakeClock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def context(repository: Repository, store: Settings, clock: FakeClock) -> Context:
    return Context(repository=repository, clock=clock, settings=store)
