"""The queues of the embedded store; the contract is `base.Queues`."""

import secrets
import sqlite3
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from rrcli.clock import Clock, from_ms, to_ms
from rrcli.repository.base import Channel, Depths, QueueEntry
from rrcli.repository.sqlite_database import Database, statements, write_rows
from rrcli.repository.sqlite_rows import id_list
from rrcli.repository.sqlite_wake import Bell

_SQL = statements("sqlite_queues.sql")


class SqliteQueues:
    """One table for all three queues. Whoever waits is notified after the commit.

    No write waits for the disk: what a loss of power undoes, the ledger's state from before it makes again.
    """

    def __init__(self, database: Database, bell: Bell, clock: Clock) -> None:
        self._database = database
        self._bell = bell
        self._clock = clock

    def add(self, entries: Sequence[QueueEntry]) -> int:
        rows = [(entry.event_id, to_ms(entry.due)) for entry in entries]
        return self._make_ready(lambda connection: write_rows(connection, _SQL["add"], rows))

    def retry(self, worker: str, entries: Sequence[QueueEntry]) -> None:
        rows = [(entry.event_id, worker, to_ms(entry.due)) for entry in entries]
        self._make_ready(lambda connection: connection.executemany(_SQL["retry"], rows).rowcount)

    def _make_ready(self, change: Callable[[sqlite3.Connection], int]) -> int:
        """Make the change, and wake the dispatcher when the head became earlier; how many it was."""
        with self._database.write(durable=False) as connection:
            before = _head(connection)
            changed = change(connection)
            after = _head(connection)
        if after is not None and (before is None or after < before):
            self._bell.notify(Channel.DISPATCHER)
        return changed

    def head(self) -> datetime | None:
        with self._database.read() as connection:
            head = _head(connection)
        return None if head is None else from_ms(head)

    def due(self, now: datetime, limit: int) -> list[str]:
        with self._database.read() as connection:
            rows = connection.execute(_SQL["due"], {"now": to_ms(now), "limit": limit}).fetchall()
        return [id for (id,) in rows]

    def promote(self, ids: Collection[str]) -> int:
        with self._database.write(durable=False) as connection:
            moved = connection.execute(_SQL["promote"], {"ids": id_list(ids)}).rowcount
        return self._offered(moved)

    def _offered(self, moved: int) -> int:
        """Wake the workers when something came into their queue."""
        if moved:
            self._bell.notify(Channel.WORKER)
        return moved

    def claim(self, worker: str, limit: int, lease: timedelta, *, holding: bool = False) -> list[str]:
        renew = _SQL["extend" if holding else "lease"]
        with self._database.write(durable=False) as connection:
            if not connection.execute(renew, self._lease(worker, lease)).rowcount:
                return []
            rows = connection.execute(_SQL["claim"], {"worker": worker, "limit": limit}).fetchall()
        # RETURNING promises no order.
        return [id for _, id in sorted(rows)]

    def extend(self, worker: str, lease: timedelta) -> bool:
        with self._database.write(durable=False) as connection:
            return connection.execute(_SQL["extend"], self._lease(worker, lease)).rowcount == 1

    def held(self, worker: str) -> set[str]:
        with self._database.read() as connection:
            return {id for (id,) in connection.execute(_SQL["held"], {"worker": worker})}

    def retake(self, worker: str, entries: Sequence[QueueEntry], lease: timedelta) -> set[str]:
        rows = [(entry.event_id, to_ms(entry.due), worker) for entry in entries]
        values = {"worker": worker, "ids": id_list([entry.event_id for entry in entries])}
        with self._database.write(durable=False) as connection:
            connection.execute(_SQL["lease"], self._lease(worker, lease))
            connection.executemany(_SQL["retake"], rows)
            return {id for (id,) in connection.execute(_SQL["foreign"], values)}

    def acknowledge(self, worker: str, ids: Collection[str]) -> None:
        with self._database.write(durable=False) as connection:
            connection.execute(_SQL["acknowledge"], {"worker": worker, "ids": id_list(ids)})

    def release(self, worker: str) -> int:
        with self._database.write(durable=False) as connection:
            moved = _return_claims(connection, worker)
        return self._offered(moved)

    def reap(self) -> int:
        with self._database.read() as connection:
            # The usual answer is that there is nothing to do, and it needs no write lock.
            if not self._expired(connection):
                return 0
        with self._database.write(durable=False) as connection:
            moved = sum(_return_claims(connection, worker) for worker in self._expired(connection))
        return self._offered(moved)

    def _expired(self, connection: sqlite3.Connection) -> list[str]:
        """Workers whose lease has run out; or was made before a reboot, when the clock began anew."""
        rows = connection.execute(_SQL["expired"], {"now": self._monotonic_ms()})
        return [worker for (worker,) in rows]

    def withdraw(self, ids: Collection[str]) -> set[str]:
        with self._database.write(durable=False) as connection:
            return {id for (id,) in connection.execute(_SQL["withdraw"], {"ids": id_list(ids)})}

    def missing(self, ids: Collection[str]) -> set[str]:
        with self._database.read() as connection:
            present = connection.execute(_SQL["present"], {"ids": id_list(ids)}).fetchall()
        return set(ids).difference(id for (id,) in present)

    def depths(self) -> Depths:
        with self._database.read() as connection:
            counts = dict(connection.execute(_SQL["depths"]).fetchall())
            head = _head(connection)
        return Depths(
            ready=counts.get("ready", 0),
            worker=counts.get("worker", 0),
            in_flight=counts.get("in_flight", 0),
            oldest_due=None if head is None else from_ms(head),
        )

    def incarnation(self) -> str:
        with self._database.read() as connection:
            row = connection.execute(_SQL["incarnation"]).fetchone()
        if row is None:
            with self._database.write(durable=False) as connection:
                # Another process may have been first: then its token stays.
                connection.execute(_SQL["make_incarnation"], {"token": secrets.token_hex(8)})
                row = connection.execute(_SQL["incarnation"]).fetchone()
        return str(row[0])

    def connections(self) -> int:
        """However often it is opened, it is the same file."""
        return 0

    def _lease(self, worker: str, lease: timedelta) -> dict[str, object]:
        """Values of a lease from now on. To be called under the write lock, as `_expired` for its final

        word: with an instant from before a long wait, a lease renewed meanwhile would seem to be from
        another boot.
        """
        length = lease // timedelta(milliseconds=1)
        return {"worker": worker, "now": self._monotonic_ms(), "length": length}

    def _monotonic_ms(self) -> int:
        return int(self._clock.monotonic() * 1000)


def _head(connection: sqlite3.Connection) -> int | None:
    row = connection.execute(_SQL["head"]).fetchone()
    return None if row is None else int(row[0])


def _return_claims(connection: sqlite3.Connection, worker: str) -> int:
    """Give everything the worker holds back to the worker queue and end its lease; how many."""
    connection.execute(_SQL["end_lease"], {"worker": worker})
    return connection.execute(_SQL["return_claims"], {"worker": worker}).rowcount
