"""The queues in Redis: every move of ids is one Lua script in `lua/`, which names the keys it works on."""

import secrets
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, cast

from redis import Redis

from rrcli.clock import from_ms, to_ms
from rrcli.repository.base import Channel, Depths, QueueEntry
from rrcli.repository.mongo_redis_connection import RedisServer
from rrcli.repository.mongo_redis_queries import chunks

# Ids in one script call: Lua's `unpack` takes less than 8,000 values, and an id comes with its due time.
CHUNK = 2000

_SCRIPTS = (
    *("add", "promote", "claim", "extend", "held", "retake", "acknowledge"),
    *("retry", "release", "reap", "withdraw", "missing"),
)


class RedisQueues:
    """`ready_queue`, `worker_queue` and what is in flight, under one hash tag so that scripts may span them.

    The tag holds the database's name: two deployments in one Redis do not meet.
    """

    def __init__(self, redis: RedisServer, database: str) -> None:
        tag = f"{{{database}:0}}"
        self._ready = f"ready_queue:{tag}"
        self._worker = f"worker_queue:{tag}"
        self._flight = f"in_flight:{tag}"
        self._leases = f"leases:{tag}"
        self._incarnation = f"incarnation:{tag}"
        self._database = database
        self._redis = redis
        self._scripts = {name: redis.script(name) for name in _SCRIPTS}

    def channel(self, channel: Channel) -> str:
        """The name under which a wake-up is published."""
        return f"wake:{self._database}:{channel.value}"

    def add(self, entries: Sequence[QueueEntry]) -> int:
        keys = [self._ready, self._worker, self._flight]
        channel = self.channel(Channel.DISPATCHER)
        return sum(self._run("add", keys, channel, *_flat(chunk)) for chunk in chunks(entries, CHUNK))

    def head(self) -> datetime | None:
        return _due(self._redis.run(lambda client: client.zrange(self._ready, 0, 0, withscores=True)))

    def due(self, now: datetime, limit: int) -> list[str]:
        until = to_ms(now)
        found = self._redis.run(lambda client: client.zrangebyscore(self._ready, "-inf", until, 0, limit))
        return cast(list[str], found)

    def promote(self, ids: Collection[str]) -> int:
        keys, channel = [self._ready, self._worker], self.channel(Channel.WORKER)
        return sum(self._run("promote", keys, channel, *chunk) for chunk in chunks(ids, CHUNK))

    def claim(self, worker: str, limit: int, lease: timedelta) -> list[str]:
        return cast(list[str], self._run("claim", self._claim_keys, worker, limit, _ms(lease)))

    def extend(self, worker: str, lease: timedelta) -> bool:
        return bool(self._run("extend", [self._leases], worker, _ms(lease)))

    def held(self, worker: str) -> set[str]:
        return set(self._run("held", [self._flight], worker))

    def retake(self, worker: str, entries: Sequence[QueueEntry], lease: timedelta) -> set[str]:
        keys = [self._ready, *self._claim_keys]
        foreign: set[str] = set()
        for chunk in chunks(entries, CHUNK):
            foreign.update(self._run("retake", keys, worker, _ms(lease), *_flat(chunk)))
        return foreign

    def acknowledge(self, worker: str, ids: Collection[str]) -> None:
        for chunk in chunks(ids, CHUNK):
            self._run("acknowledge", [self._flight], worker, *chunk)

    def retry(self, worker: str, entries: Sequence[QueueEntry]) -> None:
        keys, channel = [self._ready, self._flight], self.channel(Channel.DISPATCHER)
        for chunk in chunks(entries, CHUNK):
            self._run("retry", keys, worker, channel, *_flat(chunk))

    def release(self, worker: str) -> int:
        return int(self._run("release", self._claim_keys, self.channel(Channel.WORKER), worker))

    def reap(self) -> int:
        return int(self._run("reap", self._claim_keys, self.channel(Channel.WORKER)))

    def withdraw(self, ids: Collection[str]) -> set[str]:
        keys = [self._ready, self._worker]
        taken = [self._run("withdraw", keys, *chunk) for chunk in chunks(ids, CHUNK)]
        return set(chain.from_iterable(taken))

    def missing(self, ids: Collection[str]) -> set[str]:
        keys = [self._ready, self._worker, self._flight]
        absent = [self._run("missing", keys, *chunk) for chunk in chunks(ids, CHUNK)]
        return set(chain.from_iterable(absent))

    def depths(self) -> Depths:
        def look(client: Redis) -> list[Any]:
            with client.pipeline() as together:
                together.zcard(self._ready)
                together.zcard(self._worker)
                together.hlen(self._flight)
                together.zrange(self._ready, 0, 0, withscores=True)
                return together.execute()

        ready, worker, in_flight, first = self._redis.run(look)
        return Depths(ready=ready, worker=worker, in_flight=in_flight, oldest_due=_due(first))

    def incarnation(self) -> str:
        """The stored token and the server's run id: a restart may have brought back an older state."""

        def look(client: Redis) -> list[Any]:
            with client.pipeline() as together:
                together.set(self._incarnation, secrets.token_hex(8), nx=True)
                together.get(self._incarnation)
                together.info("server")
                return together.execute()

        _, token, server = self._redis.run(look)
        return f"{token}:{server['run_id']}"

    def _run(self, name: str, keys: list[str], *arguments: str | int) -> Any:
        """One script on one server, all of it or nothing."""
        script = self._scripts[name]
        return self._redis.run(lambda client: script(keys, arguments, client))

    @property
    def _claim_keys(self) -> list[str]:
        return [self._worker, self._flight, self._leases]


def _flat(entries: Sequence[QueueEntry]) -> Iterator[int | str]:
    for entry in entries:
        yield to_ms(entry.due)
        yield entry.event_id


def _due(first: Any) -> datetime | None:
    return from_ms(int(first[0][1])) if first else None


def _ms(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
