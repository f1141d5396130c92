"""`idempotency_keys` in MongoDB; `_id` is a hash of the key."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo import DeleteMany, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from rrcli.clock import from_ms
from rrcli.core.idempotency import KEEP, Answer, KeyUse, Turn, turn
from rrcli.errors import Conflict
from rrcli.repository.mongo_redis_connection import Document, MongoServer
from rrcli.repository.mongo_redis_documents import stored_time, utc

_TRIES = 10


class MongoIdempotencyKeys:
    """One document a key."""

    def __init__(self, mongo: MongoServer) -> None:
        self._mongo = mongo

    def init(self) -> None:
        """Make the index."""
        with self._mongo.edge:
            self._all.create_index("created_at")

    def begin(self, use: KeyUse, now: datetime) -> tuple[KeyUse, bool]:
        with self._mongo.edge:
            for _ in range(_TRIES):
                try:
                    self._all.insert_one(_document(use))
                except DuplicateKeyError:
                    if begun := self._begin_again(use, now):
                        return begun
                else:
                    return use, True
        raise Conflict("Others use this Idempotency-Key all the time.", hint="Try again.")

    def _begin_again(self, use: KeyUse, now: datetime) -> tuple[KeyUse, bool] | None:
        """As `begin`, of a key that was there; None when it changed in between."""
        found = self._all.find_one({"_id": use.id})
        if found is None:
            return None
        stored = _use_of(found)
        whose_turn = turn(stored, use, now)
        if whose_turn is Turn.LEAVE:
            return stored, False
        begun = stored.taken_over(now) if whose_turn is Turn.TAKE_OVER else use
        replaced = self._all.replace_one(_same(stored), _document(begun))
        return (begun, True) if replaced.matched_count else None

    def finish(self, use: KeyUse, answer: Answer, now: datetime) -> None:
        answered = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
        with self._mongo.edge:
            self._all.bulk_write(
                [
                    UpdateOne(_same(use), {"$set": {"answer": answered}}),
                    DeleteMany({"created_at": {"$lte": now - KEEP}}),
                ]
            )

    def release(self, use: KeyUse) -> None:
        with self._mongo.edge:
            unanswered = _same(use) | {"answer": None}
            self._all.update_one(unanswered, {"$set": {"held_until": stored_time(from_ms(0))}})

    def forget(self, use: KeyUse) -> None:
        with self._mongo.edge:
            self._all.delete_one(_same(use) | {"answer": None})

    @property
    def _all(self) -> Collection[Document]:
        return self._mongo.collection("idempotency_keys")


def _same(use: KeyUse) -> Document:
    """Finds this very attempt."""
    return {"_id": use.id, "created_at": stored_time(use.created_at), "attempt": use.attempt}


def _document(use: KeyUse) -> Document:
    return {
        "_id": use.id,
        "fingerprint": use.fingerprint,
        "created_at": stored_time(use.created_at),
        "held_until": stored_time(use.held_until),
        "attempt": use.attempt,
    }


def _use_of(document: Mapping[str, Any]) -> KeyUse:
    answer = document.get("answer")
    return KeyUse(
        id=document["_id"],
        fingerprint=document["fingerprint"],
        created_at=utc(document["created_at"]),
        held_until=utc(document["held_until"]),
        attempt=document["attempt"],
        answer=Answer(**answer) if answer else None,
    )
