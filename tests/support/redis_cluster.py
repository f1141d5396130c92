"""A Redis Cluster of three masters, started by the tests: a third of the slots each, no replicas.

with redis_cluster() as cluster:
    ...  # cluster.url
    cluster.nodes[1].restart()  # comes back with its slots, and empty
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import redis

from tests.support.servers import START_SECONDS, RedisServer, ServerMissing, free_port, running

SLOTS = 16_384


class ClusterNode(RedisServer):
    """One node; its slots are kept in its folder, its data is not."""

    name = "redis-server (cluster)"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._bus = free_port()
        self._extra = (
            *("--cluster-enabled", "yes", "--cluster-port", str(self._bus)),
            *("--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000"),
        )

    def own(self, slots: range, epoch: int) -> None:
        """Take slots; different epochs keep the nodes from settling who is first."""
        with self.client() as client:
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", epoch)
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", slots.start, slots.stop - 1)

    def meet(self, other: "ClusterNode") -> None:
        """Make one cluster with another node and all that it knows."""
        with self.client() as client:
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", other.port, other._bus)

    def agrees(self, size: int) -> bool:
        """Whether it takes commands for all slots, and has heard of all: what is published arrives."""
        try:
            with self.client() as client:
                state = cast("dict[str, Any]", client.execute_command("CLUSTER INFO"))
                nodes = cast("dict[str, Any]", client.execute_command("CLUSTER NODES"))
        except redis.RedisError:
            return False
        return state["cluster_state"] == "ok" and len(nodes) == size and all(map(_is_linked, nodes.values()))


def _is_linked(node: Mapping[str, Any]) -> bool:
    """Whether there is a line to this node that it has answered on, or it is the one that was asked."""
    return "myself" in node["flags"] or bool(node["connected"] and node["last_pong_rcvd"] != "0")


class RedisCluster:
    """The running nodes."""

    def __init__(self, nodes: Sequence[ClusterNode]) -> None:
        self.nodes = tuple(nodes)
        self.url = f"redis+cluster://{','.join(node.address for node in nodes[:2])}"

    def form(self) -> None:
        """Make the nodes one cluster."""
        size = len(self.nodes)
        for number, node in enumerate(self.nodes):
            node.own(range(SLOTS * number // size, SLOTS * (number + 1) // size), number + 1)
        for node in self.nodes[1:]:
            node.meet(self.nodes[0])
        self.wait()

    def wait(self) -> None:
        """Until every node takes commands, after a start or a crash."""
        deadline = time.monotonic() + START_SECONDS
        while not all(node.agrees(len(self.nodes)) for node in self.nodes):
            if time.monotonic() > deadline:
                raise ServerMissing("the nodes do not form a cluster")
            time.sleep(0.05)

    def flush(self) -> None:
        """Forget all keys."""
        for node in self.nodes:
            with node.client() as client:
                client.flushall()


@contextmanager
def redis_cluster(size: int = 3) -> Iterator[RedisCluster]:
    """A running cluster of masters."""
    with ExitStack() as stack:
        cluster = RedisCluster([stack.enter_context(running(ClusterNode)) for _ in range(size)])
        cluster.form()
        yield cluster
