"""The queues in Redis: every move of ids is one Lua script in `lua/`, which names the keys it works on.

The queues are split into partitions by event id, each with all its keys in one slot of a cluster; one is the
usual number. A call sends what every partition has to do in one round trip.
"""

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from rrcli.clock import from_ms, to_ms
from rrcli.errors import StoreUnavailable
from rrcli.repository.base import Channel, Depths, QueueEntry
from rrcli.repository.mongo_redis_layout import Layout
from rrcli.repository.mongo_redis_nodes import Call
from rrcli.repository.mongo_redis_partitions import Partition, Partitions, T
from rrcli.repository.mongo_redis_queries import chunks
from rrcli.repository.mongo_redis_server import RedisServer, Script
from rrcli.repository.mongo_redis_shares import earliest, even, in_order

# Ids in one script call: Lua's `unpack` takes less than 8,000 values, and an id comes with its due time.
CHUNK = 2000
# So many of the earliest are found exactly over all partitions; of more, the partitions give equal parts.
EXACT = 64

_SCRIPTS = (
    *("add", "promote", "claim", "extend", "held", "retake", "acknowledge"),
    *("retry", "release", "reap", "withdraw", "missing"),
)


class RedisQueues:
    """`ready_queue`, `worker_queue` and what is in flight."""

    def __init__(self, redis: RedisServer, database: str, partitions: int = 1) -> None:
        self._partitions = Partitions(database, partitions)
        self._layout = Layout(redis, self._partitions)
        self._database = database
        self._redis = redis
        self._scripts = {name: Script("fence", name) for name in _SCRIPTS}
        self._turn = 0
        self._renewed_at: list[str] | None = None

    def channel(self, channel: Channel) -> str:
        """The name under which a wake-up is published."""
        return f"wake:{self._database}:{channel.value}"

    def add(self, entries: Sequence[QueueEntry]) -> int:
        channel = self.channel(Channel.DISPATCHER)
        return sum(
            self._ask(
                self._script("add", [each.ready, each.worker, each.flight], each, channel, *_flat(chunk))
                for each, chunk in self._chunks(entries, _id_of)
            )
        )

    def head(self) -> datetime | None:
        return _earliest(self._ask(self._head(each) for each in self._partitions.all))

    def due(self, now: datetime, limit: int) -> list[str]:
        until = to_ms(now)
        if self._partitions.number == 1:
            return list(self._ask(self._range(each.ready, until, limit) for each in self._partitions.all)[0])
        share = min(limit, max(EXACT, 2 * -(-limit // self._partitions.number)))
        found = self._ask(self._range(each.ready, until, share, True) for each in self._partitions.all)
        return in_order(found)[:limit]

    def promote(self, ids: Collection[str]) -> int:
        channel = self.channel(Channel.WORKER)
        return sum(
            self._ask(
                self._script("promote", [each.ready, each.worker], each, channel, *chunk)
                for each, chunk in self._chunks(ids, str)
            )
        )

    def claim(self, worker: str, limit: int, lease: timedelta, *, holding: bool = False) -> list[str]:
        def call(part: Partition, share: int, dues: int) -> Call:
            arguments = (worker, share, _ms(lease), dues, int(holding))
            return self._script("claim", _claim_keys(part), part, *arguments)

        if self._partitions.number == 1:
            return list(self._ask([call(self._partitions.all[0], limit, 0)])[0])
        claimed: list[Sequence[str]] = []
        # In the first round 0, too, is asked for: it renews the lease in that partition.
        shares = self._shares(self._partitions.all, limit)
        while shares:
            found = self._ask(call(part, share, 1) for part, share in shares.items())
            claimed += found
            left = limit - sum(map(len, claimed)) // 2
            # Who gave all that was asked for may have more.
            full = [
                part
                for (part, share), got in zip(shares.items(), found, strict=True)
                if share * 2 == len(got) > 0
            ]
            again = self._shares(full, left) if left and full else {}
            shares = {part: share for part, share in again.items() if share}
        return in_order(claimed)

    def _shares(self, parts: Sequence[Partition], limit: int) -> dict[Partition, int]:
        """How many of `limit` to claim in each partition; fewer than partitions go to the earliest due."""
        if limit < len(parts):
            heads = self._ask(self._range(each.worker, "+inf", limit, True) for each in parts)
            return earliest(dict(zip(parts, heads, strict=True)), limit)
        self._turn += 1
        return even(parts, limit, self._turn)

    def extend(self, worker: str, lease: timedelta) -> bool:
        found = self._send(
            call
            for each in self._partitions.all
            for call in (
                self._script("extend", [each.leases], each, worker, _ms(lease)),
                Call(each.leases, ("INFO", "server")),
            )
        )
        # A replica that has taken over has the lease, but perhaps not the newest claims.
        servers = [_run_id(server) for server in found[1::2]]
        before, self._renewed_at = self._renewed_at, servers
        return all(found[::2]) and before in (None, servers)

    def held(self, worker: str) -> set[str]:
        found = self._ask(self._script("held", [each.flight], each, worker) for each in self._partitions.all)
        return set(chain.from_iterable(found))

    def retake(self, worker: str, entries: Sequence[QueueEntry], lease: timedelta) -> set[str]:
        parts = self._partitions.split(entries, _id_of)
        foreign = self._send(
            self._script("retake", [each.ready, *_claim_keys(each)], each, worker, _ms(lease), *_flat(chunk))
            for each in self._partitions.all
            for chunk in (chunks(parts[each], CHUNK) if each in parts else [[]])
        )
        return set(chain.from_iterable(foreign))

    def acknowledge(self, worker: str, ids: Collection[str]) -> None:
        self._send(
            self._script("acknowledge", [each.flight], each, worker, *chunk)
            for each, chunk in self._chunks(ids, str)
        )

    def retry(self, worker: str, entries: Sequence[QueueEntry]) -> None:
        channel = self.channel(Channel.DISPATCHER)
        self._send(
            self._script("retry", [each.ready, each.flight], each, worker, channel, *_flat(chunk))
            for each, chunk in self._chunks(entries, _id_of)
        )

    def release(self, worker: str) -> int:
        channel = self.channel(Channel.WORKER)
        return sum(
            self._send(
                self._script("release", _claim_keys(each), each, channel, worker)
                for each in self._partitions.all
            )
        )

    def reap(self) -> int:
        channel = self.channel(Channel.WORKER)
        return sum(
            self._ask(self._script("reap", _claim_keys(each), each, channel) for each in self._partitions.all)
        )

    def withdraw(self, ids: Collection[str]) -> set[str]:
        taken = self._ask(
            self._script("withdraw", [each.ready, each.worker], each, *chunk)
            for each, chunk in self._chunks(ids, str)
        )
        return set(chain.from_iterable(taken))

    def missing(self, ids: Collection[str]) -> set[str]:
        absent = self._ask(
            self._script("missing", [each.ready, each.worker, each.flight], each, *chunk)
            for each, chunk in self._chunks(ids, str)
        )
        return set(chain.from_iterable(absent))

    def depths(self) -> Depths:
        found = self._ask(
            call
            for each in self._partitions.all
            for call in (
                Call(each.ready, ("ZCARD", each.ready)),
                Call(each.worker, ("ZCARD", each.worker)),
                Call(each.flight, ("HLEN", each.flight)),
                self._head(each),
            )
        )
        return Depths(
            ready=sum(found[::4]),
            worker=sum(found[1::4]),
            in_flight=sum(found[2::4]),
            oldest_due=_earliest(found[3::4]),
        )

    def incarnation(self) -> str:
        """The stored tokens and the servers' run ids: a restart may have brought back an older state.

        Whoever asks fills queues that were emptied, so this is where the queues are split anew. Raises
        StoreUnavailable while workers of the old split live.
        """
        self._layout.establish()
        found = self._ask(
            call
            for each in self._partitions.all
            for call in (
                Call(each.incarnation, ("SET", each.incarnation, secrets.token_hex(8), "NX")),
                Call(each.incarnation, ("GET", each.incarnation)),
                Call(each.incarnation, ("INFO", "server")),
            )
        )
        return ",".join(
            f"{token}:{_run_id(server)}" for token, server in zip(found[1::3], found[2::3], strict=True)
        )

    def connections(self) -> int:
        return self._redis.connections

    def _chunks(
        self, items: Collection[T], event_id: Callable[[T], str]
    ) -> Iterator[tuple[Partition, list[T]]]:
        for part, whole in self._partitions.split(items, event_id).items():
            for chunk in chunks(whole, CHUNK):
                yield part, chunk

    def _script(self, name: str, keys: list[str], part: Partition, *arguments: str | int) -> Call:
        """One script in one partition, all of it or nothing."""
        return self._scripts[name].call([*keys, part.layout], [*arguments, self._partitions.number])

    def _range(self, key: str, until: int | str, limit: int, dues: bool = False) -> Call:
        with_dues = ("WITHSCORES",) if dues else ()
        return Call(key, ("ZRANGEBYSCORE", key, "-inf", until, *with_dues, "LIMIT", 0, limit))

    def _head(self, part: Partition) -> Call:
        return Call(part.ready, ("ZRANGE", part.ready, 0, 0, "WITHSCORES"))

    def _ask(self, calls: Iterator[Call] | Sequence[Call]) -> list[Any]:
        """The replies, once it is known that the queues are split as the settings say."""
        self._layout.check()
        return self._send(calls)

    def _send(self, calls: Iterator[Call] | Sequence[Call]) -> list[Any]:
        """The replies. What ends or renews claims goes out unchecked: the claims may still be ours."""
        together = list(calls)
        if not together:
            return []
        try:
            return self._redis.call(together)
        except StoreUnavailable:
            self._layout.doubt()
            raise


def _claim_keys(part: Partition) -> list[str]:
    return [part.worker, part.flight, part.leases]


def _id_of(entry: QueueEntry) -> str:
    return entry.event_id


def _flat(entries: Sequence[QueueEntry]) -> Iterator[int | str]:
    for entry in entries:
        yield to_ms(entry.due)
        yield entry.event_id


def _earliest(heads: Sequence[Sequence[str]]) -> datetime | None:
    dues = [int(head[1]) for head in heads if head]
    return from_ms(min(dues)) if dues else None


def _run_id(server: str) -> str:
    """What INFO says of the process."""
    return next(line[7:] for line in server.splitlines() if line.startswith("run_id:"))


def _ms(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
