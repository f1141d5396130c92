"""Long lists of events in MongoDB; the contract is `base.EventLists`."""

from datetime import datetime

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection

from rrcli.clock import to_ms
from rrcli.core.models import Event, EventState
from rrcli.repository.base import EventQuery, Place
from rrcli.repository.mongo_redis_connection import Document, MongoServer
from rrcli.repository.mongo_redis_documents import event_record, object_ids
from rrcli.repository.mongo_redis_queries import first_readable

_EXCEPTIONS = [state.value for state in EventState if state.final and state is not EventState.COMPLETED]


class MongoEventLists:
    """Each part is found by the place where the one before ended, however deep in the list that is.

    Lists of all schedules are ordered by id, which starts with the second of the run time.
    """

    def __init__(self, mongo: MongoServer) -> None:
        self._mongo = mongo

    def init(self) -> None:
        """What did not end as it should has indexes of its own; what did costs nothing more."""
        rare = {"state": {"$in": _EXCEPTIONS}}
        with self._mongo.edge:
            self._archive.create_index(
                [("state", ASCENDING), ("_id", DESCENDING)],
                name="exceptions",
                partialFilterExpression=rare,
            )
            self._archive.create_index(
                [
                    ("schedule_id", ASCENDING),
                    ("state", ASCENDING),
                    ("run_time", DESCENDING),
                    ("_id", DESCENDING),
                ],
                name="schedule_exceptions",
                partialFilterExpression=rare,
            )

    def pending(self, query: EventQuery, *, after: Place | None, limit: int) -> list[Event]:
        return self._part(self._mongo.collection("events"), query, after, limit, ASCENDING)

    def history(self, query: EventQuery, *, after: Place | None, limit: int) -> list[Event]:
        return self._part(self._archive, query, after, limit, DESCENDING)

    def _part(
        self,
        collection: Collection[Document],
        query: EventQuery,
        after: Place | None,
        limit: int,
        direction: int,
    ) -> list[Event]:
        if query.schedule_id is None:
            found, order = _of_all(query, after, direction), [("_id", direction)]
        else:
            found, order = (
                _of_schedule(query, after, direction),
                [("run_time", direction), ("_id", direction)],
            )
        if query.state is not None:
            found["state"] = query.state.value
        with self._mongo.edge:
            return first_readable(event_record, collection.find(found).sort(order), limit)

    @property
    def _archive(self) -> Collection[Document]:
        return self._mongo.collection("archived_events")


def _of_all(query: EventQuery, after: Place | None, direction: int) -> Document:
    """A stretch of ids; the exact run times inside its first and last second are compared besides."""
    ids: Document = {}
    if query.start is not None:
        ids["$gte"] = _first_id(query.start)
    if query.end is not None:
        ids["$lt"] = _first_id(query.end, round_up=True)
    if after is not None:
        ids["$gt" if direction == ASCENDING else "$lt"] = ObjectId(after.event_id)
    found: Document = {"_id": ids} if ids else {}
    if times := _times(query):
        found["run_time"] = times
    return found


def _of_schedule(query: EventQuery, after: Place | None, direction: int) -> Document:
    assert query.schedule_id is not None
    found: Document = {"schedule_id": {"$in": object_ids([query.schedule_id])}}
    times = _times(query)
    if after is not None:
        beyond, from_here = ("$gt", "$gte") if direction == ASCENDING else ("$lt", "$lte")
        found["$or"] = [
            {"run_time": {beyond: after.run_time}},
            {"run_time": after.run_time, "_id": {beyond: ObjectId(after.event_id)}},
        ]
        # Where reading starts; without it the index would be read from its beginning.
        times[from_here] = after.run_time
    if times:
        found["run_time"] = times
    return found


def _times(query: EventQuery) -> Document:
    times: Document = {}
    if query.start is not None:
        times["$gte"] = query.start
    if query.end is not None:
        times["$lt"] = query.end
    return times


def _first_id(instant: datetime, *, round_up: bool = False) -> ObjectId:
    """The lowest id that an event of this second (or the next) can have (`core.ids`)."""
    seconds = to_ms(instant) // 1000 + round_up
    return ObjectId(f"{min(max(seconds, 0), 0xFFFFFFFF):08x}{'0' * 16}")
