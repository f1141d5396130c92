"""Idempotency keys in the embedded store; the contract is `base.IdempotencyKeys`."""

import json
from datetime import datetime

from rrcli.clock import from_ms, to_ms
from rrcli.core.idempotency import KEEP, Answer, KeyUse, Turn, turn
from rrcli.repository.sqlite_database import Database, statements
from rrcli.repository.sqlite_rows import Row

_SQL = statements("sqlite_idempotency_keys.sql")
_EXPIRED_AT_ONCE = 100


class SqliteIdempotencyKeys:
    """One row a key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, use: KeyUse, now: datetime) -> tuple[KeyUse, bool]:
        with self._database.write() as connection:
            row = connection.execute(_SQL["get"], {"id": use.id}).fetchone()
            stored = _use_of(row) if row else None
            whose_turn = turn(stored, use, now) if stored else Turn.START_ANEW
            if stored and whose_turn is Turn.LEAVE:
                return stored, False
            begun = stored.taken_over(now) if stored and whose_turn is Turn.TAKE_OVER else use
            connection.execute(_SQL["put"], _values(begun))
            return begun, True

    def finish(self, use: KeyUse, answer: Answer, now: datetime) -> None:
        answered = {"status": answer.status, "headers": json.dumps(dict(answer.headers)), "body": answer.body}
        with self._database.write() as connection:
            connection.execute(_SQL["finish"], _values(use) | answered)
            connection.execute(_SQL["expire"], {"before": to_ms(now - KEEP), "limit": _EXPIRED_AT_ONCE})

    def release(self, use: KeyUse) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["release"], _values(use))

    def forget(self, use: KeyUse) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["forget"], _values(use))


def _values(use: KeyUse) -> dict[str, object]:
    return {
        "id": use.id,
        "fingerprint": use.fingerprint,
        "created_at": to_ms(use.created_at),
        "held_until": to_ms(use.held_until),
        "attempt": use.attempt,
    }


def _use_of(row: Row) -> KeyUse:
    id, fingerprint, created_at, held_until, attempt, status, headers, body = row
    answer = None if status is None else Answer(status=status, headers=json.loads(headers), body=body)
    return KeyUse(
        id=id,
        fingerprint=fingerprint,
        created_at=from_ms(created_at),
        held_until=from_ms(held_until),
        attempt=attempt,
        answer=answer,
    )
