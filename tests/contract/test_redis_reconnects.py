"""A new connection may lead to another server; the library makes one by itself in place of a closed one."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from rrcli.repository.mongo_redis_nodes import Call
from rrcli.repository.mongo_redis_server import RedisServer
from rrcli.settings import RedisSettings
from tests.support import servers
from tests.support.redis_cluster import RedisCluster

pytestmark = pytest.mark.servers

PING = [Call("key", ("PING",))]
Place = tuple[str, Sequence[servers.RedisServer]]


@pytest.fixture(params=["redis", "sentinel", "cluster"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A URL of each form, and the servers behind it."""
    if request.param == "cluster":
        cluster: RedisCluster = request.getfixturevalue("cluster")
        yield cluster.url, cluster.nodes
    elif request.param == "sentinel":
        with servers.sentinels() as group:
            yield group.url, group.nodes
    else:
        with servers.redis_server() as server:
            yield server.url, [server]


def test_a_connection_made_in_place_of_one_that_the_server_closed_is_counted(place: Place) -> None:
    url, nodes = place
    with closing(RedisServer(RedisSettings(url=url))) as redis:
        redis.call(PING)
        before = redis.connections
        redis.call(PING)
        assert redis.connections == before > 0
        for node in nodes:
            with node.client() as client:
                client.client_kill_filter(_type="normal", skipme=True)  # as one does that becomes a replica
        redis.call(PING)
        assert redis.connections > before
