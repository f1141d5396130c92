"""`api_keys` in MongoDB; `_id` is the public id of a key."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from rrcli.core.api_keys import ApiKey, Scope
from rrcli.errors import Conflict
from rrcli.repository.mongo_redis_connection import Document, MongoServer
from rrcli.repository.mongo_redis_documents import readable, stored_time


class MongoApiKeys:
    """One document a key; a few dozen at most, so the list is sorted without an index."""

    def __init__(self, mongo: MongoServer) -> None:
        self._mongo = mongo

    def add(self, key: ApiKey) -> None:
        with self._mongo.edge:
            try:
                self._all.insert_one(_document(key))
            except DuplicateKeyError as error:
                raise Conflict(f"There already is an API key with the id {key.id}.") from error

    def get(self, key_id: str) -> ApiKey | None:
        with self._mongo.edge:
            found = readable(_key_of, self._all.find({"_id": key_id}))
        return found[0] if found else None

    def list(self) -> list[ApiKey]:
        with self._mongo.edge:
            found = readable(_key_of, self._all.find({"_id": {"$gte": ""}}))
        return sorted(found, key=lambda key: (key.created_at, key.id))

    def exist(self) -> bool:
        with self._mongo.edge:
            query = {"_id": {"$gte": ""}}
            return self._all.find_one(query, {"_id": 1}, sort=[("_id", ASCENDING)]) is not None

    def used(self, key_id: str, now: datetime) -> None:
        with self._mongo.edge:
            self._all.update_one({"_id": key_id}, {"$max": {"last_used_at": stored_time(now)}})

    def revoke(self, key_id: str, now: datetime) -> bool:
        query = {"_id": key_id, "revoked_at": None}
        with self._mongo.edge:
            changed = self._all.update_one(query, {"$set": {"revoked_at": stored_time(now)}})
        return changed.modified_count == 1

    @property
    def _all(self) -> Collection[Document]:
        return self._mongo.collection("api_keys")


def _document(key: ApiKey) -> Document:
    document: Document = {
        "_id": key.id,
        "name": key.name,
        "scope": key.scope.value,
        "digest": key.digest,
        "created_at": stored_time(key.created_at),
    }
    if key.last_used_at is not None:
        document["last_used_at"] = stored_time(key.last_used_at)
    if key.revoked_at is not None:
        document["revoked_at"] = stored_time(key.revoked_at)
    return document


def _key_of(document: Mapping[str, Any]) -> ApiKey:
    return ApiKey(
        id=document["_id"],
        name=document["name"],
        scope=Scope(document["scope"]),
        digest=document["digest"],
        created_at=document["created_at"].replace(tzinfo=UTC),
        last_used_at=_optional_utc(document.get("last_used_at")),
        revoked_at=_optional_utc(document.get("revoked_at")),
    )


def _optional_utc(stored: datetime | None) -> datetime | None:
    return None if stored is None else stored.replace(tzinfo=UTC)
