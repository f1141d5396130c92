"""Fixtures that run a test on every backend: `repository` is a fresh, empty store of each."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from rrcli.operations.context import Context
from rrcli.repository.base import Repository
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.support.clock import FakeClock
from tests.support.receiver import Receiver, receiver


@pytest.fixture(params=["sqlite", pytest.param("mongo_redis", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of a store that nobody has used; they can be sent to other processes."""
    settings = Settings()
    if request.param == "sqlite":
        return replace(settings, embedded=replace(settings.embedded, data_dir=str(tmp_path / "data")))
    return _on_servers(
        settings, request.getfixturevalue("mongo_uri"), request.getfixturevalue("redis_url"), request
    )


def _on_servers(
    settings: Settings, mongo_uri: str, redis_url: str, request: pytest.FixtureRequest
) -> Settings:
    """A database of its own on the real servers, and an emptied Redis database of its own."""
    from pymongo import MongoClient
    from redis import Redis

    database = f"contract_{secrets.token_hex(6)}"
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
    url = urlunsplit(urlsplit(redis_url)._replace(path=f"/{number}"))
    with Redis.from_url(url) as redis:
        redis.flushdb()

    def drop() -> None:
        client: MongoClient[dict[str, object]]
        with MongoClient(mongo_uri) as client:
            client.drop_database(database)

    request.addfinalizer(drop)
    return replace(
        settings,
        mongo=replace(settings.mongo, uri=mongo_uri, database=database),
        redis=replace(settings.redis, url=url),
    )


@pytest.fixture
def open_again(store: Settings) -> Iterator[Callable[[], Repository]]:
    """Opens one more Repository on the same store, as another process would; closed after the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(open_repository(store))


@pytest.fixture
def repository(open_again: Callable[[], Repository]) -> Repository:
    """A fresh, initialised, empty store."""
    opened = open_again()
    opened.init()
    return opened


NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    """Noon of a Monday, until the test moves it."""
    return FakeClock(NOON)


@pytest.fixture
def context(repository: Repository, store: Settings, clock: FakeClock) -> Context:
    """What operations and daemons work with, on every backend."""
    return Context(repository=repository, clock=clock, settings=store)


@pytest.fixture
def target() -> Iterator[Receiver]:
    """A receiver for callbacks."""
    with receiver() as started:
        yield started
