"""A subscriber of one Redis channel."""

from socket import socket
from typing import Any, cast

from redis.connection import Connection
from redis.exceptions import ConnectionError

from rrcli.repository.mongo_redis_server import RedisServer


class RedisWaiter:
    """Hears wake-ups on a connection of its own.

    A lost connection makes its socket readable; `drain` then subscribes anew, on another socket, so the file
    number is to be asked for before every wait. Raises StoreUnavailable while the server is away.
    """

    def __init__(self, redis: RedisServer, channel: str) -> None:
        self._redis = redis
        self._channel = channel
        self._connection: Connection | None = None
        self.fileno()

    def fileno(self) -> int:
        """Readable when woken, for select."""
        with self._redis.edge:
            if self._connection is None:
                self._connection = self._subscribed()
        return cast(socket, cast(Any, self._connection)._sock).fileno()

    def drain(self) -> None:
        """Forget the wake-ups that have come so far."""
        if self._connection is None:
            self.fileno()
            return
        try:
            while self._connection.can_read(timeout=0):
                self._connection.read_response()
        except (ConnectionError, OSError):
            self.close()
            self.fileno()

    def close(self) -> None:
        """Stop listening; may be repeated."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()  # type: ignore[no-untyped-call]

    def _subscribed(self) -> Connection:
        connection = self._redis.connection()
        connection.send_command("SUBSCRIBE", self._channel)  # type: ignore[no-untyped-call]
        connection.read_response()
        return connection
