"""Looking back over `archived_events` in MongoDB; the contract is `base.Outcomes`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from rrcli.core.models import EventState
from rrcli.repository.base import Run
from rrcli.repository.mongo_redis_connection import Document, MongoServer
from rrcli.repository.mongo_redis_documents import object_ids, readable, utc


class MongoOutcomes:
    """Reads by the index on schedule and run time; one aggregation for however many schedules."""

    def __init__(self, mongo: MongoServer) -> None:
        self._mongo = mongo

    def latest(self, schedule_ids: Collection[str], limit: int) -> dict[str, list[Run]]:
        runs = [
            {"$sort": {"run_time": -1}},
            {"$limit": limit},
            {
                "$project": {
                    "run_time": 1,
                    "state": 1,
                    "lateness_ms": 1,
                    "duration_ms": {"$last": "$attempts.duration_ms"},
                }
            },
        ]
        lookup = {
            "from": "archived_events",
            "localField": "_id",
            "foreignField": "schedule_id",
            "pipeline": runs,
            "as": "runs",
        }
        wanted = {"$match": {"_id": {"$in": object_ids(schedule_ids)}}}
        with self._mongo.edge:
            found = list(
                self._mongo.collection("schedules").aggregate(
                    [wanted, {"$project": {"_id": 1}}, {"$lookup": lookup}]
                )
            )
        read = {str(each["_id"]): readable(_run_of, each["runs"]) for each in found}
        return {schedule_id: each for schedule_id, each in read.items() if each}

    def tally(self, schedule_id: str, edges: Sequence[datetime]) -> list[dict[EventState, int]]:
        counted: list[dict[EventState, int]] = [{} for _ in edges[1:]]
        if not counted:
            return counted
        match = {
            "schedule_id": {"$in": object_ids([schedule_id])},
            "run_time": {"$gte": edges[0], "$lt": edges[-1]},
        }
        # Not $bucket: it compares each event with one edge after the other.
        counts = {
            "_id": {"number": _stretch(edges, 0, len(counted)), "state": "$state"},
            "occurrences": {"$sum": {"$ifNull": ["$span.count", 1]}},  # a run of skipped ones is as many
        }
        with self._mongo.edge:
            found = list(
                self._mongo.collection("archived_events").aggregate([{"$match": match}, {"$group": counts}])
            )
        for each in found:
            counted[each["_id"]["number"]][EventState(each["_id"]["state"])] = each["occurrences"]
        return counted


def _stretch(edges: Sequence[datetime], low: int, high: int) -> Document:
    """The number of the stretch that a run time is in, found by halving; it is one of low to high - 1."""
    if high - low == 1:
        return {"$literal": low}
    middle = (low + high) // 2
    earlier = {"$lt": ["$run_time", edges[middle]]}
    return {"$cond": [earlier, _stretch(edges, low, middle), _stretch(edges, middle, high)]}


def _run_of(document: Mapping[str, Any]) -> Run:
    return Run(
        event_id=str(document["_id"]),
        run_time=utc(document["run_time"]),
        state=EventState(document["state"]),
        lateness_ms=document.get("lateness_ms"),
        duration_ms=document.get("duration_ms"),
    )
