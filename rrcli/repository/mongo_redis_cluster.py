"""The URL of a Redis Cluster: any of its nodes, several of them for the case that one is away.

redis+cluster://user:password@host:6379,host:6379
"""

from collections.abc import Mapping
from typing import Any

from redis import Redis

from rrcli.repository.mongo_redis_nodes import Address, ClusterNodes
from rrcli.repository.mongo_redis_urls import ManyHosts

CLUSTER_FORM = "redis+cluster://user:password@host:6379,host:6379"

_SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
_PORT = 6379


def is_cluster(url: str) -> bool:
    """Whether the URL names nodes of a cluster."""
    return ManyHosts.of(url).scheme in _SCHEMES


def cluster_nodes(url: str, options: Mapping[str, Any]) -> ClusterNodes:
    """The cluster's masters, all with the user, password and query of the URL. Nothing is connected yet.

    Raises ValueError when the URL has not the form.
    """
    parts = ManyHosts.of(url)
    if parts.path.strip("/") not in ("", "0"):
        raise ValueError("a cluster has no databases but 0")
    before = f"{_SCHEMES[parts.scheme]}://{parts.access}{'@' if parts.access else ''}"
    after = f"/0?{parts.query}"

    def make(address: Address) -> Redis:
        host, port = address
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return Redis.from_url(f"{before}{place}{after}", **dict(options))

    seeds = parts.addresses(_PORT)
    make(seeds[0])  # a value of the query that makes no sense is refused now
    return ClusterNodes(seeds, make)


def cluster_place(url: str) -> str:
    """`host:port,host:port`, without credentials."""
    return ManyHosts.of(url).hosts
