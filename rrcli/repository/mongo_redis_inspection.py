"""Looking at the servers themselves; the contract is `base.Inspection`."""

import re
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from rrcli.clock import from_ms
from rrcli.repository.base import Server
from rrcli.repository.mongo_redis_connection import MongoServer
from rrcli.repository.mongo_redis_nodes import Call
from rrcli.repository.mongo_redis_server import RedisServer

_LEAST_MONGO, _LEAST_REDIS = "6.0", "6.2"


class MongoRedisInspection:
    """`parts` make, of a MongoServer or what stands for one, the parts of the ledger that have an `init`."""

    def __init__(self, mongo: MongoServer, redis: RedisServer, parts: Iterable[Callable[[Any], Any]]) -> None:
        self._mongo = mongo
        self._redis = redis
        self._parts = tuple(parts)

    def servers(self) -> list[Server]:
        return [self._about_mongo(), self._about_redis()]

    def _about_mongo(self) -> Server:
        with self._mongo.edge:
            database = self._mongo.database()
            version = str(database.command("buildInfo")["version"])
            time = database.command("hello")["localTime"]
        return _server("MongoDB", version, _LEAST_MONGO, time.replace(tzinfo=UTC))

    def _about_redis(self) -> Server:
        told, (seconds, micros) = self._redis.call([Call("", ("INFO", "server")), Call("", ("TIME",))])
        facts = dict(re.findall(r"^(\w+):(.*?)\r?$", str(told), re.MULTILINE))
        name = "Valkey" if "valkey_version" in facts else "Redis"
        version = facts.get("valkey_version") or facts.get("redis_version", "0")
        time = from_ms(int(seconds) * 1000 + int(micros) // 1000)
        return _server(name, version, _LEAST_REDIS, time)

    def missing_indexes(self) -> list[str]:
        declared = _Declared()
        for part in self._parts:
            part(declared).init()
        with self._mongo.edge:
            present = {
                f"{name}.{index}"
                for name in declared.collections
                for index in self._mongo.collection(name).index_information()
            }
        return sorted(declared.indexes - present)

    def damage(self) -> list[str]:
        """None: MongoDB watches over its own files, and a check of them would stop writers."""
        return []


class _Declared:
    """Stands for MongoServer, and notes which indexes would be made."""

    def __init__(self) -> None:
        self.edge = nullcontext()
        self.collections: set[str] = set()
        self.indexes: set[str] = set()

    def collection(self, name: str) -> "_Collection":
        self.collections.add(name)
        return _Collection(name, self.indexes)


class _Collection:
    def __init__(self, name: str, indexes: set[str]) -> None:
        self._name = name
        self._indexes = indexes

    def create_index(self, keys: Any, name: str | None = None, **_: Any) -> None:
        pairs = [(keys, 1)] if isinstance(keys, str) else keys
        self._indexes.add(f"{self._name}.{name or '_'.join(f'{key}_{way}' for key, way in pairs)}")


def _server(name: str, version: str, least: str, time: datetime) -> Server:
    supported = _numbers(version) >= _numbers(least)
    return Server(name=name, version=version, least=least, supported=supported, time=time)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:2])
