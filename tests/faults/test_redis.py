"""Redis lost, emptied, full, or failing over under load."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from rrcli.operations.leases import SETTLE_SECONDS
from rrcli.settings import Settings
from tests.faults.running import LONG, TWO_OF_EACH, load
from tests.support import servers
from tests.support.receiver import Answer, Receiver
from tests.support.redis_cluster import redis_cluster

pytestmark = pytest.mark.servers
BACKEND = "MongoDB + Redis"


@pytest.fixture
def redis(redis_url: str) -> Iterator[servers.RedisServer]:
    """A Redis that this test may kill; the session's fixture says first whether there is one."""
    with servers.redis_server() as server:
        yield server


@pytest.fixture
def own(mongo_store: Settings, redis: servers.RedisServer) -> Settings:
    return replace(mongo_store, redis=replace(mongo_store.redis, url=redis.url))


def test_a_redis_that_was_killed_and_came_back_empty_is_filled_again(
    own: Settings, redis: servers.RedisServer, target: Receiver, tmp_path: Path
) -> None:
    with load(own, target, tmp_path / "log") as under_load:
        under_load.wait_for_calls(100)
        redis.kill()
        redis.start()
        under_load.over()
        under_load.settle("Redis killed, restarted empty", BACKEND)


def test_a_flushed_redis_is_filled_again(
    own: Settings, redis: servers.RedisServer, target: Receiver, tmp_path: Path
) -> None:
    with load(own, target, tmp_path / "log") as under_load, Redis(port=redis.port) as client:
        under_load.wait_for_calls(100)
        client.flushall()
        under_load.over()
        under_load.settle("FLUSHALL", BACKEND)


def test_a_redis_out_of_memory_is_said_with_a_hint_and_waited_for(
    own: Settings, redis: servers.RedisServer, target: Receiver, tmp_path: Path
) -> None:
    with load(own, target, tmp_path / "log") as under_load, Redis(port=redis.port) as client:
        under_load.wait_for_calls(100)
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        under_load.wait_for_log("out of memory")
        client.config_set("maxmemory", "0")
        under_load.over()
        under_load.settle("Redis out of memory", BACKEND)


def test_a_redis_that_fails_over_to_its_replica_is_followed(
    mongo_store: Settings, redis_url: str, target: Receiver, tmp_path: Path
) -> None:
    with servers.sentinels() as group:
        store = replace(mongo_store, redis=replace(mongo_store.redis, url=group.url))
        with load(store, target, tmp_path / "log") as under_load:
            under_load.wait_for_calls(100)
            old = group.master()
            old.kill()
            assert group.master() is not old
            under_load.over()
            under_load.settle("Redis failing over (Sentinel)", BACKEND)


def test_a_master_of_a_cluster_that_came_back_empty_is_filled_again(
    mongo_store: Settings, redis_url: str, target: Receiver, tmp_path: Path
) -> None:
    with redis_cluster() as cluster:
        store = replace(mongo_store, redis=replace(mongo_store.redis, url=cluster.url, partitions=6))
        with load(store, target, tmp_path / "log") as under_load:
            under_load.wait_for_calls(100)
            cluster.nodes[1].restart()
            cluster.wait()
            under_load.over()
            under_load.settle("One master of a Redis Cluster killed, restarted empty", BACKEND)


def test_another_number_of_partitions_reaches_a_running_system(
    own: Settings, target: Receiver, tmp_path: Path
) -> None:
    """Process by process: the new ones wait until the last worker that knows the old number has stopped."""
    with load(own, target, tmp_path / "log") as under_load:
        under_load.wait_for_calls(100)
        for name in TWO_OF_EACH:
            under_load.stack.replace(name, REDIS_PARTITIONS="4")
        under_load.over()
        under_load.settle("redis.partitions changed from 1 to 4, process by process", BACKEND)
        assert "split into 4 partitions now" in (tmp_path / "log").read_text()


@pytest.mark.skipif(not LONG, reason="its law is shown by tests/daemons/test_reconciler.py, too")
def test_calls_in_flight_are_not_made_again_when_redis_is_emptied(
    own: Settings, redis: servers.RedisServer, target: Receiver, tmp_path: Path
) -> None:
    """They last longer than the reconciler waits: only their workers know that they are being made."""
    target.answer_all(Answer(delay_seconds=SETTLE_SECONDS + 4))
    with (
        load(own, target, tmp_path / "log", a_second=20, seconds=1) as under_load,
        Redis(port=redis.port) as client,
    ):
        under_load.wait_for_calls(20)
        client.flushall()
        verdict = under_load.settle("FLUSHALL during long calls", BACKEND)
    assert verdict.doubles == 0
