"""The servers that commands go to: one Redis, or the masters of a cluster by the slot of the key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import sample
from typing import Any, Protocol

from redis import Redis
from redis.connection import ConnectionPool
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, ConnectionError, MovedError, RedisError, ResponseError

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Call:
    """One command, and a key that says which server has to do it.

    An EVALSHA comes with the script's text, for a server that does not have it yet.
    """

    key: str
    command: tuple[str | int, ...]
    text: str = ""


class Nodes(Protocol):
    """Who does what; nothing is connected before it is asked."""

    def pool(self, key: str) -> ConnectionPool:
        """The connections of the server that has the key. Raises RedisError when nobody can say."""
        ...

    def masters(self) -> Sequence[Redis]:
        """All servers that keep keys. Raises RedisError."""
        ...

    def moved(self, error: MovedError) -> None:
        """A server said that another has the key."""
        ...

    def failed(self) -> None:
        """A server did not answer as it should: the addresses may lead elsewhere by now."""
        ...

    def close(self) -> None: ...


class OneNode:
    """One server; of a cluster the one that has the slot of all our keys, whichever node was named."""

    def __init__(self, make: Callable[[], Redis]) -> None:
        self._make = make
        self._home = self._client = make()

    def pool(self, key: str) -> ConnectionPool:
        return self._client.connection_pool

    def masters(self) -> Sequence[Redis]:
        return [self._client]

    def moved(self, error: MovedError) -> None:
        client = self._make()
        given = client.connection_pool.connection_kwargs
        given |= {"host": error.host or given["host"], "port": error.port}
        self._client = client

    def failed(self) -> None:
        self._home.connection_pool.disconnect(inuse_connections=False)
        self._client = self._home

    def close(self) -> None:
        for client in (self._client, self._home):
            client.close()


class ClusterNodes:
    """The masters of a cluster. Which has what is asked of any node, and again after every failure."""

    def __init__(self, seeds: Sequence[Address], make: Callable[[Address], Redis]) -> None:
        self._seeds = tuple(seeds)
        self._make = make
        self._clients: dict[Address, Redis] = {}
        self._owners: dict[range, Address] | None = None
        self._pools: dict[str, ConnectionPool] = {}

    def pool(self, key: str) -> ConnectionPool:
        pool = self._pools.get(key)
        if pool is None:
            pool = self._client(self._owner(key_slot(key.encode()))).connection_pool
            self._pools[key] = pool
        return pool

    def masters(self) -> Sequence[Redis]:
        return [self._client(address) for address in sorted(set(self._map().values()))]

    def moved(self, error: MovedError) -> None:
        self._owners = None
        self._pools = {}

    def failed(self) -> None:
        self._owners = None
        self._pools = {}
        for client in list(self._clients.values()):
            client.connection_pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        for client in list(self._clients.values()):
            client.close()

    def _owner(self, slot: int) -> Address:
        owner = next((address for slots, address in self._map().items() if slot in slots), None)
        if owner is None:
            raise ClusterDownError(f"no master has slot {slot}")
        return owner

    def _map(self) -> dict[range, Address]:
        """Slots and the address of their master, as the first node that answers knows them."""
        owners = self._owners
        if owners is None:
            owners = self._owners = self._asked()
        return owners

    def _asked(self) -> dict[range, Address]:
        failure: RedisError = ConnectionError("no node of the cluster is known")
        known = dict.fromkeys([*sample(list(self._clients), len(self._clients)), *self._seeds])
        for address in known:
            try:
                rows = self._client(address).execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
            except RedisError as error:
                failure = error
            else:
                # A node that does not know its own address leaves it out: it is the one that was asked.
                return {range(row[0], row[1] + 1): (row[2][0] or address[0], row[2][1]) for row in rows}
        raise failure

    def _client(self, address: Address) -> Redis:
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = self._make(address)
        return client


def exchange(nodes: Nodes, calls: Sequence[Call]) -> list[Any]:
    """The replies, in order; what a server refused comes as ResponseError, and did nothing there.

    Everything is sent before anything is read: one round trip, however many servers have a part in it.
    Nothing is sent twice. Raises ConnectionError or TimeoutError when a server fails; what others did stays.
    """
    parts: dict[ConnectionPool, list[int]] = {}
    for number, call in enumerate(calls):
        parts.setdefault(nodes.pool(call.key), []).append(number)
    replies: list[Any] = [None] * len(calls)
    connections: list[tuple[ConnectionPool, Any]] = []
    try:
        for pool, numbers in parts.items():
            connection: Any = pool.get_connection()
            connections.append((pool, connection))
            connection.send_packed_command(connection.pack_commands(calls[n].command for n in numbers))
        for (_, connection), numbers in zip(connections, parts.values(), strict=True):
            for number in numbers:
                replies[number] = _reply(connection)
    except BaseException:
        # A reply that was not read would be taken for that of the next command.
        for _, connection in connections:
            connection.disconnect()
        raise
    finally:
        for pool, connection in connections:
            pool.release(connection)
    return replies


def _reply(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
