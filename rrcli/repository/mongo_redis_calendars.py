"""`calendars` in MongoDB; `_id` is the name."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from pymongo.collection import Collection as MongoCollection

from rrcli.core.calendars import Calendar, Closure, Holiday
from rrcli.repository.mongo_redis_connection import Document, MongoServer
from rrcli.repository.mongo_redis_documents import readable, stored_time, utc


class MongoCalendars:
    """One document a calendar, far below the size that a document may have."""

    def __init__(self, mongo: MongoServer) -> None:
        self._mongo = mongo

    def put(self, calendar: Calendar) -> None:
        with self._mongo.edge:
            self._all.replace_one({"_id": calendar.name}, _document(calendar), upsert=True)

    def get(self, names: Collection[str]) -> dict[str, Calendar]:
        with self._mongo.edge:
            found = readable(_calendar_of, self._all.find({"_id": {"$in": list(names)}}))
        return {calendar.name: calendar for calendar in found}

    def versions(self, names: Collection[str]) -> dict[str, str]:
        with self._mongo.edge:
            found = list(self._all.find({"_id": {"$in": list(names)}}, {"version": 1}))
        return {document["_id"]: document["version"] for document in found}

    def list(self) -> list[Calendar]:
        with self._mongo.edge:
            return readable(_calendar_of, self._all.find({"_id": {"$gte": ""}}).sort("_id"))

    def remove(self, name: str) -> bool:
        with self._mongo.edge:
            return self._all.delete_one({"_id": name}).deleted_count == 1

    @property
    def _all(self) -> MongoCollection[Document]:
        return self._mongo.collection("calendars")


def _document(calendar: Calendar) -> Document:
    return {
        "_id": calendar.name,
        "version": calendar.version,
        "holidays": [{"day": each.day.isoformat(), "title": each.title} for each in calendar.holidays],
        "closures": [
            {"start": stored_time(each.start), "end": stored_time(each.end), "title": each.title}
            for each in calendar.closures
        ],
        "updated_at": stored_time(calendar.updated_at),
    }


def _calendar_of(document: Mapping[str, Any]) -> Calendar:
    return Calendar(
        name=document["_id"],
        version=document["version"],
        holidays=tuple(
            Holiday(day=date.fromisoformat(each["day"]), title=each["title"]) for each in document["holidays"]
        ),
        closures=tuple(
            Closure(start=utc(each["start"]), end=utc(each["end"]), title=each["title"])
            for each in document["closures"]
        ),
        updated_at=utc(document["updated_at"]),
    )
