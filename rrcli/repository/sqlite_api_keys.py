"""Keys of the REST service in the embedded store; the contract is `base.ApiKeys`."""

from datetime import datetime

from rrcli.clock import from_ms, to_ms
from rrcli.core.api_keys import ApiKey, Scope
from rrcli.errors import Conflict, StoreCorrupt
from rrcli.repository.sqlite_database import Database, statements
from rrcli.repository.sqlite_rows import Row, optional_ms

_SQL = statements("sqlite_api_keys.sql")


class SqliteApiKeys:
    """One row a key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: ApiKey) -> None:
        with self._database.write() as connection:
            if connection.execute(_SQL["insert"], _row(key)).rowcount != 1:
                raise Conflict(f"There already is an API key with the id {key.id}.")

    def get(self, key_id: str) -> ApiKey | None:
        with self._database.read() as connection:
            row = connection.execute(_SQL["get"], {"id": key_id}).fetchone()
        return None if row is None else _key_of(row)

    def list(self) -> list[ApiKey]:
        with self._database.read() as connection:
            rows = connection.execute(_SQL["list"]).fetchall()
        return [_key_of(row) for row in rows]

    def exist(self) -> bool:
        with self._database.read() as connection:
            return bool(connection.execute(_SQL["exist"]).fetchone()[0])

    def used(self, key_id: str, now: datetime) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["used"], {"id": key_id, "now": to_ms(now)})

    def revoke(self, key_id: str, now: datetime) -> bool:
        with self._database.write() as connection:
            return connection.execute(_SQL["revoke"], {"id": key_id, "now": to_ms(now)}).rowcount == 1


def _row(key: ApiKey) -> Row:
    return (
        key.id,
        key.name,
        key.scope,
        key.digest,
        to_ms(key.created_at),
        optional_ms(key.last_used_at),
        optional_ms(key.revoked_at),
    )


def _key_of(row: Row) -> ApiKey:
    id, name, scope, digest, created_at, last_used_at, revoked_at = row
    try:
        return ApiKey(
            id=id,
            name=name,
            scope=Scope(scope),
            digest=digest,
            created_at=from_ms(created_at),
            last_used_at=None if last_used_at is None else from_ms(last_used_at),
            revoked_at=None if revoked_at is None else from_ms(revoked_at),
        )
    except (TypeError, ValueError) as error:
        raise StoreCorrupt(f"The stored API key {id} cannot be read: {error!r}.") from error
