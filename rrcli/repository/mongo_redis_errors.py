"""The edge where errors of pymongo and redis-py become the product's own."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from bson.errors import BSONError
from pymongo.errors import ConfigurationError, DocumentTooLarge, OperationFailure, PyMongoError
from redis.exceptions import (
    AuthenticationError,
    MovedError,
    OutOfMemoryError,
    RedisError,
    ResponseError,
)

from rrcli.errors import InvalidSettings, SchedulerError, StoreCorrupt, StoreUnavailable, Unstorable
from rrcli.log import redact

_MONGO_ACCESS = frozenset({13, 18, 8000})  # Unauthorized, AuthenticationFailed, AtlasError
SAME_NUMBER = "Give all processes the same redis.partitions; to change it, stop all, then start them."

_OTHER_SPLIT = re.compile(r"\bPARTITIONS (\d+)")
_REDIS_ACCESS = ("NOAUTH", "WRONGPASS", "NOPERM")


class Edge:
    """`with edge:` around driver calls. `server` is a kind and its address, without credentials."""

    def __init__(self, server: str) -> None:
        self._server = server

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, PyMongoError | BSONError):
            raise _from_mongo(error, self._server) from error
        if isinstance(error, RedisError):
            raise _from_redis(error, self._server) from error
        if isinstance(error, UnicodeEncodeError | OverflowError):
            raise Unstorable(error) from error


@contextmanager
def checked(key: str, form: str) -> Iterator[None]:
    """Around the reading of a URI: what a driver cannot parse is a refused setting, not a failure."""
    try:
        yield
    except (ValueError, ConfigurationError) as error:
        raise InvalidSettings(f"{key}: {_short(error)}", hint=f"Form: {form}") from error


def _from_mongo(error: PyMongoError | BSONError, server: str) -> SchedulerError:
    if isinstance(error, OperationFailure) and error.code in _MONGO_ACCESS:
        return StoreUnavailable(
            f"{server} refuses access: {_short(error)}",
            hint="Check user, password and authSource in mongo.uri, and the user's role (readWrite).",
        )
    if isinstance(error, DocumentTooLarge | BSONError):
        return StoreCorrupt(f"{server} cannot keep or read a document: {_short(error)}")
    return _unavailable(error, server, "mongo.uri")


def _from_redis(error: RedisError, server: str) -> SchedulerError:
    text = str(error)
    if isinstance(error, AuthenticationError) or text.startswith(_REDIS_ACCESS):
        return StoreUnavailable(
            f"{server} refuses access: {_short(error)}", hint="Check user and password in redis.url."
        )
    if isinstance(error, OutOfMemoryError) or "OOM command" in text:
        return StoreUnavailable(
            f"{server} is out of memory: {_short(error)}",
            hint="Raise maxmemory or free memory; keep maxmemory-policy at noeviction. The daemons wait, and "
            "the queues are rebuilt from MongoDB where something is missing.",
        )
    if isinstance(error, ResponseError) and (other := _OTHER_SPLIT.search(text)):
        return StoreUnavailable(
            f"{server} has the queues split into {other[1]} partitions, and redis.partitions differs here.",
            hint=SAME_NUMBER,
        )
    if isinstance(error, MovedError):
        return StoreUnavailable(
            f"{server} is a node of a cluster, and other nodes have some of the partitions.",
            hint="Write redis+cluster://host:port,host:port in redis.url.",
        )
    if isinstance(error, ResponseError) and "WRONGTYPE" in text:
        return StoreCorrupt(
            f"{server} holds a key of another type under one of our names: {_short(error)}",
            hint="Another program uses the same names. Give each its own database number in redis.url, or "
            "delete the key: the queues are rebuilt from MongoDB.",
        )
    return _unavailable(error, server, "redis.url or redis.host and redis.port")


def _unavailable(error: Exception, server: str, key: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{server} does not answer as it should: {_short(error)}",
        hint=f"Is it running and reachable from here? {server} comes from {key}.",
    )


def _short(error: Exception) -> str:
    """The first part of a driver's message: pymongo appends its settings and its view of the topology."""
    first = re.split(r" \(configured timeouts|, Timeout: |, Topology Description: ", str(error), maxsplit=1)[
        0
    ]
    return redact(" ".join(first.split()))[:200]
