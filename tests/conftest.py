"""Fixtures that every test may use."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.support import servers
from tests.support.redis_cluster import RedisCluster, redis_cluster
from tests.support.stores import clock, context, open_again, repository, store, target

# A shell that puts a run into the background lets it ignore Ctrl-C, and with it all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["clock", "context", "mongo_uri", "open_again", "redis_url", "repository", "store", "target"]


@contextmanager
def _or_skip() -> Iterator[None]:
    """A server that cannot be had skips the test on a laptop and fails it in CI."""
    try:
        yield
    except servers.ServerMissing as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def mongo_uri() -> Iterator[str]:
    """A MongoDB: the one TEST_MONGO_URI names, else one started for this session."""
    if given := os.environ.get("TEST_MONGO_URI"):
        yield given
        return
    with ExitStack() as stack:
        with _or_skip():
            server = stack.enter_context(servers.mongod())
        yield server.uri


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis or Valkey: the one TEST_REDIS_URL names, else one started for this session."""
    if given := os.environ.get("TEST_REDIS_URL"):
        yield given
        return
    with ExitStack() as stack:
        with _or_skip():
            server = stack.enter_context(servers.redis_server())
        yield server.url


@pytest.fixture(scope="session")
def cluster() -> Iterator[RedisCluster]:
    """A Redis Cluster of three masters, started for this session."""
    with ExitStack() as stack:
        with _or_skip():
            started = stack.enter_context(redis_cluster())
        yield started
