"""Redis or Valkey: one server, behind Sentinels or not, or the masters of a cluster."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from importlib import resources
from itertools import count
from typing import Any, cast
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.exceptions import (
    ClusterDownError,
    ConnectionError,
    MovedError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
)
from redis.retry import Retry

from rrcli.repository.mongo_redis_cluster import CLUSTER_FORM, cluster_nodes, cluster_place, is_cluster
from rrcli.repository.mongo_redis_errors import Edge, checked
from rrcli.repository.mongo_redis_nodes import Call, Nodes, OneNode, exchange
from rrcli.repository.mongo_redis_sentinel import (
    SENTINEL_FORM,
    is_sentinel,
    sentinel_client,
    sentinel_place,
)
from rrcli.settings import RedisSettings

CONNECT_SECONDS = 2.0
REDIS_SECONDS = 5.0
PING_SECONDS = 2.0
# What says that nothing was done; how often it is followed in one call, while a slot moves.
_NOT_DONE = (MovedError, NoScriptError)
_REDIRECTIONS = 3


class Script:
    """`lua/NAME.lua` behind others of the same folder, called by its hash."""

    def __init__(self, *names: str) -> None:
        folder = resources.files("rrcli.repository").joinpath("lua")
        self._text = "\n".join(folder.joinpath(f"{name}.lua").read_text("utf-8") for name in names)
        self._sha = sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    def call(self, keys: Sequence[str], arguments: Iterable[str | int]) -> Call:
        """A call on the server that has the keys."""
        return Call(keys[0], ("EVALSHA", self._sha, len(keys), *keys, *arguments), self._text)


class RedisServer:
    """What stands under `redis.url`, or `redis.host` and `redis.port`.

    Nothing is sent twice by itself: a claim that was made and whose reply was lost would be made again.
    """

    connections = 0
    """Another number after a call than before: a connection was made, perhaps to another server.

    The library makes one by itself in place of an idle one that its server has closed, as a server does that
    becomes a replica.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self._numbers = count(1)
        self._url = settings.url or f"redis://{_bracketed(settings.host)}:{settings.port}/0"
        with checked("redis.url", _form(self._url)):
            self._nodes = self._make(REDIS_SECONDS)
            self._probe = self._make(PING_SECONDS)
            self.name = f"redis {_redis_place(self._url)}"
        self.edge = Edge(self.name)
        # One partition is wherever the one slot is; several are on several masters.
        self._follows = settings.partitions == 1 or is_cluster(self._url)

    def call(self, calls: Sequence[Call]) -> list[Any]:
        """The replies, in order; one round trip for all.

        Raises StoreUnavailable when one of them failed, whatever became of the others.
        """
        with self.edge, self._watched():
            replies = exchange(self._nodes, calls)
            for _ in range(_REDIRECTIONS):
                if not (refused := [n for n, reply in enumerate(replies) if isinstance(reply, _NOT_DONE)]):
                    break
                again = exchange(self._nodes, [self._elsewhere(calls[n], replies[n]) for n in refused])
                for number, reply in zip(refused, again, strict=True):
                    replies[number] = reply
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
            return replies

    def connection(self) -> Connection:
        """A connection outside the pools, for a subscriber; every node tells all that is published."""
        with self.edge, self._watched():
            client = secrets.choice(self._nodes.masters())
            connection = cast(Connection, client.connection_pool.make_connection())
            connection.connect()  # type: ignore[no-untyped-call]
            return connection

    def ping(self) -> None:
        """Raises StoreUnavailable when a server does not answer within about two seconds."""
        with self.edge:
            try:
                for client in self._probe.masters():
                    client.ping()
            except RedisError:
                self._probe.failed()
                raise

    def close(self) -> None:
        """Close all connections."""
        self._nodes.close()
        self._probe.close()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except (ConnectionError, TimeoutError, ReadOnlyError, ClusterDownError, MovedError):
            self._nodes.failed()
            raise

    def _elsewhere(self, call: Call, refusal: ResponseError) -> Call:
        """What was refused without doing anything, as it has to be asked for."""
        if isinstance(refusal, NoScriptError):
            return Call(call.key, ("EVAL", call.text, *call.command[2:]), call.text)
        if not self._follows:
            raise refusal
        self._nodes.moved(cast(MovedError, refusal))
        return call

    def _note_connection(self, connection: Connection) -> None:
        """In place of what the library does at a new connection, before anything else is sent over it."""
        connection.on_connect()  # type: ignore[no-untyped-call]
        self.connections = next(self._numbers)

    def _make(self, seconds: float) -> Nodes:
        options = {
            "decode_responses": True,
            "protocol": 2,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": seconds,
            "socket_keepalive": True,
            "retry": Retry(NoBackoff(), 0),
            "redis_connect_func": self._note_connection,
        }
        if is_cluster(self._url):
            return cluster_nodes(self._url, options)
        if is_sentinel(self._url):
            return OneNode(lambda: sentinel_client(self._url, options))
        return OneNode(lambda: Redis.from_url(self._url, **options))


def _redis_place(url: str) -> str:
    """`host:port/database`, the path of a socket, the nodes of a cluster, or Sentinels and their master."""
    if is_cluster(url):
        return cluster_place(url)
    if is_sentinel(url):
        return sentinel_place(url)
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{_bracketed(parts.hostname or 'localhost')}:{parts.port or 6379}/{parts.path.strip('/') or 0}"


def _form(url: str) -> str:
    if is_cluster(url):
        return CLUSTER_FORM
    return SENTINEL_FORM if is_sentinel(url) else "redis://user:password@host:6379/0"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
