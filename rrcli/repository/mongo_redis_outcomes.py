"""Looking back over `archived_events` in MongoDB; the contract is `base.Outcomes`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from rrcli.core.models import EventState
from rrcli.repository.base import Run
from rrcli.repository.mongo_redis_connection import Document, MongoServer
from rrcli.repository.mongo_redis_documents import object_ids, readable, utc

_FINAL = [state for state in EventState if state.final]


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
        buckets = {"groupBy": "$run_time", "boundaries": list(edges), "output": _counts()}
        with self._mongo.edge:
            found = list(
                self._mongo.collection("archived_events").aggregate([{"$match": match}, {"$bucket": buckets}])
            )
        index = {edge: number for number, edge in enumerate(edges)}
        for each in found:
            numbers = {state: each[state.value] for state in _FINAL if each[state.value]}
            counted[index[utc(each["_id"])]] = numbers
        return counted


def _counts() -> Document:
    """For each final state the number of occurrences, a run of skipped ones counted as many."""
    occurrences = {"$ifNull": ["$span.count", 1]}
    return {
        state.value: {"$sum": {"$cond": [{"$eq": ["$state", state.value]}, occurrences, 0]}}
        for state in _FINAL
    }


def _run_of(document: Mapping[str, Any]) -> Run:
    return Run(
        event_id=str(document["_id"]),
        run_time=utc(document["run_time"]),
        state=EventState(document["state"]),
        lateness_ms=document.get("lateness_ms"),
        duration_ms=document.get("duration_ms"),
    )
