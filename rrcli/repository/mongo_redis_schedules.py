"""`schedules` in MongoDB."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime

from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DESCENDING, UpdateMany
from pymongo.collection import Collection as MongoCollection
from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from rrcli.core.ids import is_id
from rrcli.core.models import Schedule, ScheduleState, Timetable
from rrcli.errors import Conflict
from rrcli.repository.base import Advance, Page
from rrcli.repository.mongo_redis_connection import RAW_CODEC, Document, MongoServer
from rrcli.repository.mongo_redis_documents import (
    TIMETABLE,
    object_ids,
    readable,
    schedule_document,
    schedule_of_raw,
    schedule_record,
    stored_time,
    timetable_record,
)
from rrcli.repository.mongo_redis_queries import (
    duplicates,
    first_readable,
    id_range,
)

# No schedule has a longer one, and the server refuses patterns of more than 32 KiB.
_LONGEST_NAME = 1000
_AT_ONCE = WriteConcern(w=1)


class MongoSchedules:
    """The schedules and their watermarks; index (state, next_run) serves every tick."""

    def __init__(self, mongo: MongoServer) -> None:
        self._mongo = mongo

    def init(self) -> None:
        """Make the indexes."""
        with self._mongo.edge:
            self._all.create_index([("state", ASCENDING), ("next_run", ASCENDING)])
            self._all.create_index([("name", ASCENDING), ("_id", ASCENDING)])
            # Nearly all are active: a list of those is found by id alone.
            self._all.create_index(
                [("state", ASCENDING), ("_id", DESCENDING)],
                name="at_rest",
                partialFilterExpression={
                    "state": {"$in": [ScheduleState.PAUSED.value, ScheduleState.COMPLETED.value]}
                },
            )
            self._all.create_index([("tags", ASCENDING), ("_id", DESCENDING)])
            self._all.create_index([("exclude_calendars", ASCENDING), ("_id", ASCENDING)])

    def add(self, schedules: Sequence[Schedule]) -> None:
        if not schedules:
            return
        with self._mongo.edge:
            try:
                self._all.insert_many([schedule_document(one) for one in schedules], ordered=False)
            except BulkWriteError as error:
                known = duplicates(error)
                raise Conflict(f"A schedule with the id {known[0]} exists already.") from error

    def get(self, ids: Collection[str]) -> dict[str, Schedule]:
        with self._mongo.edge:
            found = self._all_raw.find({"_id": {"$in": object_ids(ids)}}, batch_size=len(ids) + 1)
            return {schedule.id: schedule for schedule in readable(schedule_of_raw, found.to_list())}

    def known(self, ids: Collection[str]) -> set[str]:
        with self._mongo.edge:
            return {str(one["_id"]) for one in self._all.find({"_id": {"$in": object_ids(ids)}}, {"_id": 1})}

    def resolve(self, reference: str, limit: int = 3) -> list[Schedule]:
        with self._mongo.edge:
            queries: list[Document] = [{"name": reference}]
            if is_id(reference):
                queries.insert(0, {"_id": ObjectId(reference)})
            if ids := id_range(reference):
                queries.append({"_id": ids})
            for query in queries:
                if found := first_readable(schedule_record, self._all.find(query).sort("_id"), limit):
                    return found
        return []

    def find(
        self,
        *,
        state: ScheduleState | None = None,
        name: str | None = None,
        tag: str | None = None,
        limit: int,
        offset: int = 0,
    ) -> Page[Schedule]:
        if name and len(name) > _LONGEST_NAME:
            return Page(items=(), total=0)
        query = _matching(state, name, tag)
        with self._mongo.edge:
            found = self._all.find(query).sort("_id", DESCENDING).skip(offset).limit(limit)
            items = tuple(readable(schedule_record, found)) if limit else ()
            total = self._all.count_documents(query) if query else self._all.estimated_document_count()
        return Page(items=items, total=total)

    def following(
        self,
        after_id: str | None,
        *,
        state: ScheduleState | None = None,
        name: str | None = None,
        tag: str | None = None,
        limit: int,
    ) -> list[Schedule]:
        if name and len(name) > _LONGEST_NAME:
            return []
        query = _matching(state, name, tag)
        if after_id is not None:
            query["_id"] = {"$lt": ObjectId(after_id)}
        with self._mongo.edge:
            return first_readable(schedule_record, self._all.find(query).sort("_id", DESCENDING), limit)

    def replace(self, schedule: Schedule, *, expected_revision: int) -> bool:
        query = {"_id": ObjectId(schedule.id), "revision": expected_revision}
        with self._mongo.edge:
            return self._all.replace_one(query, schedule_document(schedule)).matched_count == 1

    def remove(self, schedule_id: str) -> bool:
        if not is_id(schedule_id):
            return False
        with self._mongo.edge:
            return self._all.delete_one({"_id": ObjectId(schedule_id)}).deleted_count == 1

    def due(self, before: datetime, limit: int) -> list[Schedule]:
        with self._mongo.edge:
            found = self._all.find(_due(before), batch_size=limit + 1).sort("next_run")
            return first_readable(schedule_record, found, limit)

    def timetables(self, before: datetime, limit: int, *, since: datetime | None = None) -> list[Timetable]:
        query = _due(before)
        if since:
            query["next_run"]["$gte"] = since
        with self._mongo.edge:
            found = self._all.find(query, TIMETABLE, batch_size=limit + 1).sort("next_run")
            return first_readable(timetable_record, found, limit)

    def advance(self, moves: Sequence[Advance]) -> int:
        """One update for all schedules that move to the same instant: far fewer than schedules, as a rule."""
        together: dict[tuple[int, datetime | None], list[str]] = {}
        for move in moves:
            together.setdefault((move.rule_revision, move.next_run), []).append(move.schedule_id)
        updates = [_advance(ids, *target) for target, ids in together.items()]
        if not updates:
            return 0
        with self._mongo.edge:
            return self._all_undoable.bulk_write(updates, ordered=False).matched_count

    def exhausted(self, limit: int) -> list[Schedule]:
        query = {"state": ScheduleState.ACTIVE.value, "next_run": None}
        with self._mongo.edge:
            return first_readable(schedule_record, self._all.find(query), limit)

    def using_calendar(self, name: str, *, after_id: str = "", limit: int) -> list[Schedule]:
        query: Document = {"exclude_calendars": name}
        if after_id:
            query["_id"] = {"$gt": ObjectId(after_id)}
        with self._mongo.edge:
            return first_readable(schedule_record, self._all.find(query).sort("_id"), limit)

    def counts(self) -> dict[ScheduleState, int]:
        with self._mongo.edge:
            numbers = {state: self._all.count_documents({"state": state.value}) for state in ScheduleState}
        return {state: number for state, number in numbers.items() if number}

    @property
    def _all_raw(self) -> MongoCollection[RawBSONDocument]:
        return self._mongo.collection("schedules").with_options(codec_options=RAW_CODEC)

    @property
    def _all_undoable(self) -> MongoCollection[Document]:
        """Writes do not wait for the disk, nor for other members of a replica set."""
        return self._mongo.collection("schedules").with_options(write_concern=_AT_ONCE)

    @property
    def _all(self) -> MongoCollection[Document]:
        return self._mongo.collection("schedules")


def _matching(state: ScheduleState | None, name: str | None, tag: str | None) -> Document:
    query: Document = {}
    if state is not None:
        query["state"] = state.value
    if tag is not None:
        query["tags"] = tag
    if name:
        query["name"] = {"$regex": re.escape(name).replace("\0", r"\x00"), "$options": "i"}
    return query


def _due(before: datetime) -> Document:
    # A null watermark is not less than a date: MongoDB compares within one type only.
    return {"state": ScheduleState.ACTIVE.value, "next_run": {"$lt": before}}


def _advance(ids: list[str], rule_revision: int, next_run: datetime | None) -> UpdateMany:
    query: Document = {
        "_id": {"$in": object_ids(ids)},
        "rule_revision": rule_revision,
        "state": ScheduleState.ACTIVE.value,
    }
    value = None if next_run is None else stored_time(next_run)
    if value is not None:
        query["next_run"] = {"$lt": value}
    # By id alone: else the server may as well walk all that is due.
    return UpdateMany(query, {"$set": {"next_run": value}}, hint="_id_")
