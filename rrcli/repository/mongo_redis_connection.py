"""The two servers: opened at first use in each process, named without credentials."""

import os
from collections.abc import Callable
from importlib import resources
from threading import Lock
from typing import Any, TypeAlias, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.connection import Connection
from redis.exceptions import ConnectionError, MovedError, ReadOnlyError, TimeoutError
from redis.retry import Retry

from rrcli.repository.mongo_redis_errors import Edge, checked
from rrcli.repository.mongo_redis_sentinel import (
    SENTINEL_FORM,
    is_sentinel,
    sentinel_client,
    sentinel_place,
)
from rrcli.settings import MongoSettings, RedisSettings

Document: TypeAlias = dict[str, Any]
T = TypeVar("T")

CONNECT_SECONDS = 2.0
REDIS_SECONDS = 5.0
PING_SECONDS = 2.0

# Only what the URI leaves open. With w=majority a standalone server answers after its journal is on disk.
_MONGO_DEFAULTS: dict[str, Any] = {
    "appName": "rrule-scheduler",
    "w": "majority",
    "retryWrites": True,
    "serverSelectionTimeoutMS": 3000,
    "connectTimeoutMS": 2000,
    "socketTimeoutMS": 10_000,
}
# A date or a text that Python cannot hold is one unreadable document, not a failed batch. Times come naive,
# in UTC: to make them aware in the driver costs as much as all other decoding together.
_CODEC: CodecOptions[Document] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",
)


class MongoServer:
    """MongoDB under `mongo.uri`."""

    def __init__(self, settings: MongoSettings) -> None:
        self._uri = settings.uri or ""
        self._database = settings.database
        self._lock = Lock()
        self._opened: tuple[int, MongoClient[Document], Database[Document]] | None = None
        self.name = f"mongo {_mongo_hosts(self._uri)}/{settings.database}"
        self.edge = Edge(self.name)

    def collection(self, name: str) -> Collection[Document]:
        """A collection of this process's client."""
        return self.database()[name]

    def database(self) -> Database[Document]:
        """The database, through a client that belongs to this process: threads do not survive a fork."""
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            opened = self._open()
        return opened[2]

    def _open(self) -> tuple[int, MongoClient[Document], Database[Document]]:
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                with checked("mongo.uri", "mongodb://user:password@host:27017/"):
                    client: MongoClient[Document] = MongoClient(self._uri, **_defaults(self._uri))
                    database = client.get_database(self._database, codec_options=_CODEC)
                self._opened = (os.getpid(), client, database)
            return self._opened

    def ping(self) -> None:
        """Raises StoreUnavailable when no writable server answers within about two seconds."""
        with self.edge, pymongo.timeout(PING_SECONDS):
            self.database().command("ping")

    def close(self) -> None:
        """Close this process's client."""
        opened, self._opened = self._opened, None
        if opened is not None and opened[0] == os.getpid():
            opened[1].close()


class RedisServer:
    """Redis or Valkey under `redis.url`, or `redis.host` and `redis.port`; of a cluster, any node.

    Nothing is sent twice by itself: a claim that was made and whose reply was lost would be made again.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self._url = settings.url or f"redis://{_bracketed(settings.host)}:{settings.port}/0"
        with checked("redis.url", _form(self._url)):
            self._home = self._make(REDIS_SECONDS)
            self._probe = self._make(PING_SECONDS)
            self.name = f"redis {_redis_place(self._url)}"
        self._client = self._home
        self.edge = Edge(self.name)

    def run(self, action: Callable[[Redis], T]) -> T:
        """What `action` does with the client. Raises StoreUnavailable.

        A node of a cluster that has not our slot does nothing and names the one that has: all keys are in
        one slot, so that one is our server from then on, until it fails.
        """
        with self.edge:
            try:
                return action(self._client)
            except MovedError as moved:
                self._move_to(moved.host, moved.port)
                return action(self._client)
            except (ConnectionError, TimeoutError, ReadOnlyError):
                self._return_home()
                raise

    def script(self, name: str) -> Script:
        """`lua/NAME.lua`, called by its hash and loaded again where a server does not have it."""
        text = resources.files("rrcli.repository").joinpath("lua", f"{name}.lua").read_text("utf-8")
        return self._home.register_script(text)

    def connection(self) -> Connection:
        """A connection outside the pool, for a subscriber."""
        return cast(Connection, self._home.connection_pool.make_connection())

    def ping(self) -> None:
        """Raises StoreUnavailable when the server does not answer within about two seconds."""
        with self.edge:
            self._probe.ping()

    def close(self) -> None:
        """Close all connections."""
        for client in (self._client, self._home, self._probe):
            client.close()

    def _move_to(self, host: str, port: int) -> None:
        client = self._make(REDIS_SECONDS)
        kwargs = client.connection_pool.connection_kwargs
        kwargs |= {"host": host or kwargs["host"], "port": port}
        self._client = client

    def _return_home(self) -> None:
        """The address in the settings may lead elsewhere by now, but only new connections get there."""
        self._home.connection_pool.disconnect(inuse_connections=False)
        self._client = self._home

    def _make(self, seconds: float) -> Redis:
        options = {
            "decode_responses": True,
            "protocol": 2,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": seconds,
            "socket_keepalive": True,
            "retry": Retry(NoBackoff(), 0),
        }
        if is_sentinel(self._url):
            return sentinel_client(self._url, options)
        return Redis.from_url(self._url, **options)


def _defaults(uri: str) -> dict[str, Any]:
    given = {name.lower() for name, _ in parse_qsl(uri.partition("?")[2])}
    return {name: value for name, value in _MONGO_DEFAULTS.items() if name.lower() not in given}


def _mongo_hosts(uri: str) -> str:
    """The hosts of a URI: what stands between credentials and path."""
    rest = uri.partition("://")[2].rpartition("@")[2]
    return rest.partition("/")[0].partition("?")[0]


def _redis_place(url: str) -> str:
    """`host:port/database`, the path of a socket, or the Sentinels and their master."""
    if is_sentinel(url):
        return sentinel_place(url)
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{_bracketed(parts.hostname or 'localhost')}:{parts.port or 6379}/{parts.path.strip('/') or 0}"


def _form(url: str) -> str:
    return SENTINEL_FORM if is_sentinel(url) else "redis://user:password@host:6379/0"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
