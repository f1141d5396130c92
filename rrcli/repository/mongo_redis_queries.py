"""Shapes of query that several collections share."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from bson import ObjectId
from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.errors import BulkWriteError

from rrcli.repository import readable as readables
from rrcli.repository.mongo_redis_connection import Document
from rrcli.repository.mongo_redis_documents import document_id

R = TypeVar("R")
T = TypeVar("T")

_DUPLICATE_KEY = 11000
_ID_PREFIX = re.compile(r"[0-9a-f]{1,24}")


def first_readable(decode: Callable[[Mapping[str, Any]], R], found: Cursor[Document], limit: int) -> list[R]:
    """The first `limit` records; unreadable ones do not count, or they would block a queue."""
    return readables.first_readable(decode, lambda n: list(found.clone().limit(n)), limit, document_id)


def insert_new(collection: Collection[Document], documents: Sequence[Document]) -> list[ObjectId]:
    """Insert those whose id is not there; returns the ids that were."""
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        return duplicates(error)
    return []


def duplicates(error: BulkWriteError) -> list[ObjectId]:
    """The ids that existed already; raises `error` again when anything else went wrong."""
    details = error.details or {}
    failed = details.get("writeErrors", [])
    if details.get("writeConcernErrors") or any(one["code"] != _DUPLICATE_KEY for one in failed):
        raise error
    return [one["op"]["_id"] for one in failed]


def id_range(prefix: str) -> Document | None:
    """All ids that start with these digits; None when they are not the start of an id."""
    if _ID_PREFIX.fullmatch(prefix) is None:
        return None
    return {"$gte": ObjectId(prefix.ljust(24, "0")), "$lte": ObjectId(prefix.ljust(24, "f"))}


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
