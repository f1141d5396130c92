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

STORES = ("sqlite", pytest.param("mongo_redis", marks=pytest.mark.servers))
QUEUE_STORES = (*STORES, pytest.param("mongo_cluster", marks=pytest.mark.servers))
"""With the queues in partitions on a Redis Cluster; for tests of the queues, nothing else differs there."""
PARTITIONS = 4


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of a store that nobody has used; they can be sent to other processes."""
    settings = Settings()
    if request.param == "sqlite":
        return replace(settings, embedded=replace(settings.embedded, data_dir=str(tmp_path / "data")))
    if request.param == "mongo_cluster":
        cluster = request.getfixturevalue("cluster")
        cluster.flush()
        redis = replace(settings.redis, url=cluster.url, partitions=PARTITIONS)
    else:
        redis = replace(settings.redis, url=_emptied(request.getfixturevalue("redis_url")))
    return _on_mongo(replace(settings, redis=redis), request.getfixturevalue("mongo_uri"), request)


def _emptied(redis_url: str) -> str:
    """A Redis database of this process's own."""
    from redis import Redis

    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
    url = urlunsplit(urlsplit(redis_url)._replace(path=f"/{number}"))
    with Redis.from_url(url) as redis:
        redis.flushdb()
    return url


def _on_mongo(settings: Settings, mongo_uri: str, request: pytest.FixtureRequest) -> Settings:
    """A database of its own on the real server."""
    from pymongo import MongoClient

    database = f"contract_{secrets.token_hex(6)}"

    def drop() -> None:
        client: MongoClient[dict[str, object]]
        with MongoClient(mongo_uri) as client:
            client.drop_database(database)

    request.addfinalizer(drop)
    return replace(settings, mongo=replace(settings.mongo, uri=mongo_uri, database=database))


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
