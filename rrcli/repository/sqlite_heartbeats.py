"""Signs of life in the embedded store; the contract is `base.Heartbeats`."""

import json
from datetime import datetime, timedelta

from rrcli.clock import from_ms, to_ms
from rrcli.repository.base import Heartbeat
from rrcli.repository.sqlite_database import Database, statements
from rrcli.repository.sqlite_rows import Row

_SQL = statements("sqlite_heartbeats.sql")
_KEPT = timedelta(days=7)


class SqliteHeartbeats:
    """One row an instance; instances that were killed are forgotten after a week."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, heartbeat: Heartbeat) -> None:
        with self._database.write(durable=False) as connection:
            connection.execute(_SQL["beat"], _row(heartbeat))
            connection.execute(_SQL["forget"], {"before": to_ms(heartbeat.seen_at - _KEPT)})

    def stop(self, instance: str) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["stop"], {"instance": instance})

    def list(self, since: datetime) -> list[Heartbeat]:
        with self._database.read() as connection:
            rows = connection.execute(_SQL["list"], {"since": to_ms(since)}).fetchall()
        return [_heartbeat_of(row) for row in rows]


def _row(heartbeat: Heartbeat) -> Row:
    return (
        heartbeat.instance,
        heartbeat.daemon,
        heartbeat.host,
        heartbeat.pid,
        to_ms(heartbeat.started_at),
        to_ms(heartbeat.seen_at),
        json.dumps(dict(heartbeat.detail)),
    )


def _heartbeat_of(row: Row) -> Heartbeat:
    instance, daemon, host, pid, started_at, seen_at, detail = row
    return Heartbeat(
        daemon=daemon,
        instance=instance,
        host=host,
        pid=pid,
        started_at=from_ms(started_at),
        seen_at=from_ms(seen_at),
        detail=json.loads(detail),
    )
