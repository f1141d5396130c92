"""The queues in Redis: every move of ids is one Lua script in `lua/`, which names the keys it works on."""

import secrets
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, cast

from rrcli.clock import from_ms, to_ms
from rrcli.repository.base import Channel, Depths, QueueEntry
from rrcli.repository.mongo_redis_connection import RedisServer
from rrcli.repository.mongo_redis_queries import chunks

# Ids in one script call: Lua's `unpack` takes less than 8,000 values, and an id comes with its due time.
CHUNK = 2000


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
        self._add = redis.script("add")
        self._promote = redis.script("promote")
        self._claim = redis.script("claim")
        self._extend = redis.script("extend")
        self._acknowledge = redis.script("acknowledge")
        self._retry = redis.script("retry")
        self._release = redis.script("release")
        self._reap = redis.script("reap")
        self._withdraw = redis.script("withdraw")
        self._missing = redis.script("missing")
        self._held = redis.script("held")

    def channel(self, channel: Channel) -> str:
        """The name under which a wake-up is published."""
        return f"wake:{self._database}:{channel.value}"

    def add(self, entries: Sequence[QueueEntry]) -> None:
        keys = [self._ready, self._worker, self._flight]
        with self._redis.edge:
            for chunk in chunks(entries, CHUNK):
                self._add(keys, [self.channel(Channel.DISPATCHER), *_flat(chunk)])

    def head(self) -> datetime | None:
        with self._redis.edge:
            return _due(cast(Any, self._redis.client.zrange(self._ready, 0, 0, withscores=True)))

    def due(self, now: datetime, limit: int) -> list[str]:
        with self._redis.edge:
            return cast(
                list[str], self._redis.client.zrangebyscore(self._ready, "-inf", to_ms(now), 0, limit)
            )

    def promote(self, ids: Collection[str]) -> int:
        with self._redis.edge:
            return sum(
                self._promote([self._ready, self._worker], [self.channel(Channel.WORKER), *chunk])
                for chunk in chunks(ids, CHUNK)
            )

    def claim(self, worker: str, limit: int, lease: timedelta) -> list[str]:
        keys = [self._worker, self._flight, self._leases]
        with self._redis.edge:
            return cast(list[str], self._claim(keys, [worker, limit, _ms(lease)]))

    def extend(self, worker: str, lease: timedelta) -> bool:
        with self._redis.edge:
            return bool(self._extend([self._leases], [worker, _ms(lease)]))

    def held(self, worker: str) -> set[str]:
        with self._redis.edge:
            return set(self._held([self._flight], [worker]))

    def acknowledge(self, worker: str, ids: Collection[str]) -> None:
        with self._redis.edge:
            for chunk in chunks(ids, CHUNK):
                self._acknowledge([self._flight], [worker, *chunk])

    def retry(self, worker: str, entries: Sequence[QueueEntry]) -> None:
        with self._redis.edge:
            for chunk in chunks(entries, CHUNK):
                self._retry(
                    [self._ready, self._flight],
                    [worker, self.channel(Channel.DISPATCHER), *_flat(chunk)],
                )

    def release(self, worker: str) -> int:
        with self._redis.edge:
            return int(self._release(self._claim_keys, [self.channel(Channel.WORKER), worker]))

    def reap(self) -> int:
        with self._redis.edge:
            return int(self._reap(self._claim_keys, [self.channel(Channel.WORKER)]))

    def withdraw(self, ids: Collection[str]) -> set[str]:
        with self._redis.edge:
            taken = [self._withdraw([self._ready, self._worker], chunk) for chunk in chunks(ids, CHUNK)]
        return set(chain.from_iterable(taken))

    def missing(self, ids: Collection[str]) -> set[str]:
        keys = [self._ready, self._worker, self._flight]
        with self._redis.edge:
            absent = [self._missing(keys, chunk) for chunk in chunks(ids, CHUNK)]
        return set(chain.from_iterable(absent))

    def depths(self) -> Depths:
        with self._redis.edge, self._redis.client.pipeline() as together:
            together.zcard(self._ready)
            together.zcard(self._worker)
            together.hlen(self._flight)
            together.zrange(self._ready, 0, 0, withscores=True)
            ready, worker, in_flight, first = together.execute()
        return Depths(ready=ready, worker=worker, in_flight=in_flight, oldest_due=_due(first))

    def incarnation(self) -> str:
        """The stored token and the server's run id: a restart may have brought back an older state."""
        with self._redis.edge, self._redis.client.pipeline() as together:
            together.set(self._incarnation, secrets.token_hex(8), nx=True)
            together.get(self._incarnation)
            together.info("server")
            _, token, server = together.execute()
        return f"{token}:{server['run_id']}"

    @property
    def _claim_keys(self) -> list[str]:
        return [self._worker, self._flight, self._leases]


def _flat(entries: Sequence[QueueEntry]) -> Iterator[int | str]:
    for entry in entries:
        yield to_ms(entry.due)
        yield entry.event_id


def _due(first: list[tuple[str, float]]) -> datetime | None:
    return from_ms(int(first[0][1])) if first else None


def _ms(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
