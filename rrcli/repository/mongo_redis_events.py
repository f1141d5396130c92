"""`events` and `archived_events` in MongoDB."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, ReplaceOne
from pymongo.collection import Collection as MongoCollection

from rrcli.core.models import Event, EventState, Kind
from rrcli.repository.base import COUNTED, DISPATCHED, Page, Standing, counted_up_to
from rrcli.repository.mongo_redis_connection import Document, MongoServer
from rrcli.repository.mongo_redis_documents import (
    archived_document,
    document_id,
    document_run_time,
    event_document,
    event_record,
    object_ids,
    readable,
    standing_record,
    stored_time,
)
from rrcli.repository.mongo_redis_queries import chunks, first_readable, id_range, insert_new
from rrcli.repository.stretches import first_stretch

_UNQUEUED = [EventState.READY.value, EventState.RETRY.value]
_SUPERSEDED = EventState.SUPERSEDED.value
_REVOCABLE: list[Document] = [
    {"state": _SUPERSEDED},
    {"state": EventState.SKIPPED.value, "$expr": {"$lt": ["$archived_at", "$run_time"]}},
]
_REVOCABLE_BY = {"state": 1, "run_time": 1, "archived_at": 1}
_MARK = "is_archived"
_MARKED: Document = {"$project": {**_REVOCABLE_BY, _MARK: {"$literal": True}}}
_CALLED = [EventState.COMPLETED.value, EventState.ERROR.value]
# What one deletion takes at most, so that it stays far below the socket's time-out.
_DELETE = 5000
_SPANS = "spans"
"""The index that has only the few entries that stand for several occurrences."""


class MongoEvents:
    """The ledger.

    The order of writes keeps it right under crashes and races: an event is archived before it is deleted live
    and entered live before the archive is asked for it, so that at any instant one side at least has it.
    Lists over all schedules are ordered by id, which starts with the second of the run time.
    """

    def __init__(self, mongo: MongoServer) -> None:
        self._mongo = mongo

    def init(self) -> None:
        """Make the indexes: as few as the queries need, since each slows every insert."""
        with self._mongo.edge:
            self._live.create_index([("schedule_id", ASCENDING), ("run_time", ASCENDING), ("_id", ASCENDING)])
            self._archive.create_index(
                [("schedule_id", ASCENDING), ("run_time", DESCENDING), ("_id", DESCENDING)]
            )
            self._archive.create_index([("archived_at", ASCENDING)])
            self._archive.create_index(
                [("schedule_id", ASCENDING), ("span.last", ASCENDING)],
                name=_SPANS,
                partialFilterExpression={"span.last": {"$exists": True}},
            )

    def add(self, events: Sequence[Event]) -> list[Event]:
        if not events:
            return []
        with self._mongo.edge:
            documents = [event_document(event) for event in events]
            ids: list[ObjectId] = [document["_id"] for document in documents]
            known = set(insert_new(self._live, documents))
            ended = self._settle_archived(ids)
            entered = [event for event, id_ in zip(events, ids, strict=True) if id_ not in known | ended]
            again = known - ended
            if again:
                found = self._live.find({"_id": {"$in": list(again)}, "state": {"$in": _UNQUEUED}})
                entered += readable(event_record, found)
            return entered

    def _settle_archived(self, ids: list[ObjectId]) -> set[ObjectId]:
        """Delete the live side of what has ended and the archived side of what is on again; the ended ids."""
        found = list(self._archive.find({"_id": {"$in": ids}}, _REVOCABLE_BY))
        revocable = [document for document in found if _is_revocable(document)]
        ended = {document["_id"] for document in found} - {document["_id"] for document in revocable}
        if ended:
            self._live.delete_many({"_id": {"$in": list(ended)}})
        if revocable:
            same = [{"_id": one["_id"], "archived_at": one.get("archived_at")} for one in revocable]
            self._archive.delete_many({"$or": same})
        return ended

    def get(self, ids: Collection[str]) -> dict[str, Event]:
        with self._mongo.edge:
            found = self._live.find({"_id": {"$in": object_ids(ids)}}, batch_size=len(ids) + 1)
            return {event.id: event for event in readable(event_record, found.to_list())}

    def find(self, event_id: str) -> Event | None:
        found = self.resolve(event_id, limit=1) if len(event_id) == 24 else []
        return found[0] if found else None

    def resolve(self, reference: str, limit: int = 3) -> list[Event]:
        # Live first: what is archived meanwhile is then seen in the archive. What both have is still live.
        ids = id_range(reference)
        if ids is None:
            return []
        with self._mongo.edge:
            found: dict[str, Event] = {}
            for collection in (self._live, self._archive):
                events = first_readable(event_record, collection.find({"_id": ids}).sort("_id"), limit)
                found = {event.id: event for event in events} | found
        return [found[id_] for id_ in sorted(found)[:limit]]

    def pending(self, schedule_id: str | None, *, limit: int, offset: int = 0) -> Page[Event]:
        return self._page(self._live, schedule_id, ASCENDING, limit, offset)

    def history(self, schedule_id: str | None, *, limit: int, offset: int = 0) -> Page[Event]:
        return self._page(self._archive, schedule_id, DESCENDING, limit, offset)

    def _page(
        self,
        collection: MongoCollection[Document],
        schedule_id: str | None,
        direction: int,
        limit: int,
        offset: int,
    ) -> Page[Event]:
        query = {} if schedule_id is None else _of_schedule(schedule_id)
        order = "_id" if schedule_id is None else "run_time"
        most = counted_up_to(limit, offset)
        with self._mongo.edge:
            found = collection.find(query).sort(order, direction).skip(offset).limit(limit)
            items = readable(event_record, found) if limit else []
            if query:
                total = collection.count_documents(query, limit=most + 1)
            else:
                total = collection.estimated_document_count()
        items.sort(key=lambda event: event.run_time, reverse=direction == DESCENDING)
        return Page(items=tuple(items), total=min(total, most), exact=total <= most)

    def dispatched(self, ids: Collection[str], now: datetime, *, due_by: datetime) -> None:
        if not ids:
            return
        step = {"time": stored_time(now), "status": EventState.WORKER.value, "message": DISPATCHED}
        with self._mongo.edge:
            self._live.update_many(
                {
                    "_id": {"$in": object_ids(ids)},
                    "state": {"$in": _UNQUEUED},
                    "due": {"$lte": stored_time(due_by)},
                    "status": {"$type": "array"},  # one that another program broke must not stop the batch
                },
                {"$set": {"state": EventState.WORKER.value}, "$push": {"status": step}},
            )

    def save(self, events: Sequence[Event]) -> None:
        if not events:
            return
        documents = [event_document(event) for event in events]
        with self._mongo.edge:
            self._live.bulk_write(
                [ReplaceOne(_without_more_attempts(document), document) for document in documents],
                ordered=False,
            )

    def archive(self, events: Sequence[Event], now: datetime) -> set[str]:
        if not events:
            return set()
        documents = [archived_document(event, now) for event in events]
        ids = [document["_id"] for document in documents]
        with self._mongo.edge:
            known = set(insert_new(self._archive, documents))
            if known:
                self._replace_revocable([document for document in documents if document["_id"] in known])
            # After the insert: what `forget` deletes from now on it finds in the archive too.
            deleted = self._live.delete_many({"_id": {"$in": ids}}).deleted_count
        return set() if deleted == len(ids) else {event.id for event in events}

    def _replace_revocable(self, documents: list[Document]) -> None:
        """An occurrence that was taken out, came on again and has ended has its result as its entry."""
        self._archive.bulk_write(
            [ReplaceOne({"_id": one["_id"], "$or": _REVOCABLE}, one) for one in documents], ordered=False
        )

    def record_skips(self, events: Sequence[Event], now: datetime) -> None:
        if not events:
            return
        documents = [archived_document(event, now) for event in events]
        with self._mongo.edge:
            known = set(insert_new(self._archive, documents))
            better = [
                ReplaceOne(_gives_way_to(document), document)
                for document in documents
                if document["_id"] in known
            ]
            if better:
                self._archive.bulk_write(better)

    def discard(self, ids: Collection[str]) -> None:
        with self._mongo.edge:
            for chunk in chunks(object_ids(ids), _DELETE):
                self._live.delete_many({"_id": {"$in": chunk}})

    def live(self, *, after_id: str, limit: int) -> list[Event]:
        query = {"_id": {"$gt": ObjectId(after_id)}} if after_id else {}
        with self._mongo.edge:
            return first_readable(event_record, self._live.find(query).sort("_id"), limit)

    def standings(self, *, after_id: str, limit: int) -> list[Standing]:
        query = {"_id": {"$gt": ObjectId(after_id)}} if after_id else {}
        with self._mongo.edge:
            found = self._live.find(query, {"due": 1, "state": 1}).sort("_id")
            return first_readable(standing_record, found, limit)

    def unfinished(
        self, schedule_id: str, *, before: datetime | None = None, limit: int = 1000
    ) -> list[Event]:
        query = _of_schedule(schedule_id)
        if before is not None:
            query["run_time"] = {"$lt": before}
        with self._mongo.edge:
            return first_readable(event_record, self._live.find(query).sort("run_time"), limit)

    def between(self, schedule_id: str, start: datetime, end: datetime, *, limit: int) -> list[Event]:
        def fetch(start: datetime, end: datetime, number: int | None) -> list[Document]:
            query = _of_schedule(schedule_id) | {"run_time": {"$gte": start, "$lt": end}}
            # Live first: what is archived meanwhile is then seen in the archive.
            found = [
                document
                for collection in (self._live, self._archive)
                for document in collection.find(query).sort("run_time").limit(number or 0)
            ]
            return sorted(found, key=_run_time_and_id)[:number]

        with self._mongo.edge:
            found = first_stretch(
                event_record, fetch, start, end, limit=limit, run_time=document_run_time, identity=document_id
            )
        # What was archived between the two reads is there twice, its newer state behind the older.
        return list({event.id: event for event in found}.values())

    def covering(self, schedule_id: str, instant: datetime) -> list[Event]:
        query = _of_schedule(schedule_id) | {"run_time": {"$lt": instant}, "span.last": {"$gte": instant}}
        with self._mongo.edge:
            found = self._archive.find(query, hint=_SPANS).sort("run_time")
            return readable(event_record, found)

    def archived(self, ids: Collection[str]) -> set[str]:
        with self._mongo.edge:
            found = self._archive.find({"_id": {"$in": object_ids(ids)}}, _REVOCABLE_BY).to_list()
        return {str(document["_id"]) for document in found if not _is_revocable(document)}

    def claimed(self, ids: Collection[str]) -> tuple[dict[str, Event], set[str]]:
        # Live first: what is archived meanwhile is then seen in the archive.
        these: Document = {"$match": {"_id": {"$in": object_ids(ids)}}}
        archived = {"coll": self._archive.name, "pipeline": [these, _MARKED]}
        with self._mongo.edge:
            found = self._live.aggregate([these, {"$unionWith": archived}], batchSize=2 * len(ids) + 1)
            live, ended = [], set()
            for document in found.to_list():
                if _MARK not in document:
                    live.append(document)
                elif not _is_revocable(document):
                    ended.add(str(document["_id"]))
            return {event.id: event for event in readable(event_record, live)}, ended

    def results(self, schedule_id: str, limit: int) -> list[Event]:
        query = _of_schedule(schedule_id) | {"kind": Kind.SCHEDULED.value, "state": {"$in": _CALLED}}
        with self._mongo.edge:
            found = self._archive.find(query).sort("run_time", DESCENDING)
            return first_readable(event_record, found, limit)

    def forget(self, schedule_id: str) -> list[str]:
        query = _of_schedule(schedule_id)
        with self._mongo.edge:
            live = self._delete(self._live, query)
            self._delete(self._archive, query)
        return [str(id_) for id_ in live]

    def purge(self, before: datetime, limit: int) -> int:
        query = {"archived_at": {"$lt": before}}
        with self._mongo.edge:
            return len(self._delete(self._archive, query, limit))

    def counts(self) -> dict[EventState, int]:
        """An index on the state would cost each event more than this look now and then."""
        first: list[Mapping[str, Any]] = [{"$sort": {"_id": 1}}, {"$limit": COUNTED}]
        with self._mongo.edge:
            groups = self._live.aggregate([*first, {"$group": {"_id": "$state", "number": {"$sum": 1}}}])
            numbers = {group["_id"]: group["number"] for group in groups}
            if (counted := sum(numbers.values())) >= COUNTED:
                rest = max(self._live.estimated_document_count() - counted, 0)
                numbers[EventState.READY.value] = numbers.get(EventState.READY.value, 0) + rest
        return {state: numbers[state.value] for state in EventState if state.value in numbers}

    def _delete(
        self, collection: MongoCollection[Document], query: Document, limit: int | None = None
    ) -> list[ObjectId]:
        """Delete what the query finds, in steps; returns the ids."""
        deleted: list[ObjectId] = []
        while limit is None or len(deleted) < limit:
            step = _DELETE if limit is None else min(_DELETE, limit - len(deleted))
            found = [document["_id"] for document in collection.find(query, {"_id": 1}).limit(step)]
            if not found:
                break
            collection.delete_many({"_id": {"$in": found}})
            deleted += found
        return deleted

    @property
    def _live(self) -> MongoCollection[Document]:
        return self._mongo.collection("events")

    @property
    def _archive(self) -> MongoCollection[Document]:
        return self._mongo.collection("archived_events")


def _run_time_and_id(document: Document) -> tuple[datetime, str]:
    return document_run_time(document), str(document["_id"])


def _of_schedule(schedule_id: str) -> Document:
    return {"schedule_id": {"$in": object_ids([schedule_id])}}


def _is_revocable(document: Document) -> bool:
    """Whether the occurrence can be on again: superseded, or skipped before its time came."""
    archived_at, run_time = document.get("archived_at"), document.get("run_time")
    if document.get("state") == EventState.SKIPPED.value and archived_at and run_time:
        return bool(archived_at < run_time)
    return bool(document.get("state") == _SUPERSEDED)


def _without_more_attempts(document: Document) -> Document:
    """Finds the live event of the same id, unless more attempts at it are noted than in `document`."""
    return {"_id": document["_id"], f"attempts.{len(document.get('attempts', ()))}": {"$exists": False}}


def _gives_way_to(document: Document) -> Document:
    """Finds the archived entry of the same id if it is superseded, or a skip of fewer occurrences."""
    query: Document = {"_id": document["_id"], "$or": [{"state": _SUPERSEDED}]}
    if "span" in document:
        count = {"span.count": {"$lt": document["span"]["count"]}}
        for shorter in (count, {"span": {"$exists": False}}):
            query["$or"].append({"state": EventState.SKIPPED.value} | shorter)
    return query
