"""The URL of a Redis Cluster: any of its nodes, several of them for the case that one is away.

redis+cluster://user:password@host:6379,host:6379
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from redis import Redis

from rrcli.repository.mongo_redis_nodes import Address, ClusterNodes

CLUSTER_FORM = "redis+cluster://user:password@host:6379,host:6379"

_SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
_PORT = 6379


def is_cluster(url: str) -> bool:
    """Whether the URL names nodes of a cluster."""
    return urlsplit(url).scheme in _SCHEMES


def cluster_nodes(url: str, options: Mapping[str, Any]) -> ClusterNodes:
    """The cluster's masters, all with the user, password and query of the URL. Nothing is connected yet.

    Raises ValueError when the URL has not the form.
    """
    parts = urlsplit(url)
    if parts.path.strip("/") not in ("", "0"):
        raise ValueError("a cluster has no databases but 0")
    access, at, _ = parts.netloc.rpartition("@")

    def make(address: Address) -> Redis:
        host, port = address
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        scheme = _SCHEMES[parts.scheme]
        return Redis.from_url(
            urlunsplit((scheme, f"{access}{at}{place}", "/0", parts.query, "")), **dict(options)
        )

    seeds = addresses(parts.netloc, _PORT)
    make(seeds[0])  # a value of the query that makes no sense is refused now
    return ClusterNodes(seeds, make)


def cluster_place(url: str) -> str:
    """`host:port,host:port`, without credentials."""
    return urlsplit(url).netloc.rpartition("@")[2]


def addresses(netloc: str, default_port: int) -> list[Address]:
    """The hosts and ports of `user:password@host:port,host,[::1]:port`. Raises ValueError."""
    found = []
    for each in netloc.rpartition("@")[2].split(","):
        host, colon, port = each.rpartition(":")
        plain = not colon or port.endswith("]")
        host, port = (each, str(default_port)) if plain else (host, port)
        if not host:
            raise ValueError("a host is missing")
        found.append((host.strip("[]"), int(port)))
    return found
