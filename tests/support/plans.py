"""What MongoDB's profiler says of the plans of commands, and which of them must not be."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bson import ObjectId

SHARDED = ("schedules", "events", "archived_events")
"""By hashed `_id`; a write to one document must name it, or a router refuses it."""
OURS = "rrule-scheduler"
# Collection and filter of what is sorted in memory all the same, each with what bounds it.
SORTED = {
    ("schedules", "name"): "a part of a name is looked for in all of them: no index finds it",
    ("archived_events", "span.last"): "the runs of skipped occurrences are few",
    ("archived_events", "$bucket"): "one document for each stretch of time that was asked for",
}


def faults(profile: Iterable[Mapping[str, Any]]) -> list[str]:
    """The commands, as text, that read all, sort in memory without a bound, or a router would refuse."""
    return sorted({fault for each in profile for fault in _faults(each)})


def _faults(each: Mapping[str, Any]) -> Iterator[str]:
    collection = each["ns"].partition(".")[2]
    plan = each.get("planSummary", "")
    if each.get("appName") != OURS or collection.startswith("system.") or not plan:
        return
    command = each.get("command", {})
    asked = command.get("filter", command.get("q", command.get("query", command.get("pipeline", {}))))
    shape = f"{collection} {each['op']} {plan}: {_shape(asked)} sort {command.get('sort')}"
    if "COLLSCAN" in plan:
        yield f"reads all: {shape}"
    if collection in SHARDED and each["op"] in ("update", "remove"):
        of_many = command.get("multi") or command.get("limit") == 0
        cut = "$truncated" in command  # the profiler keeps no more of a long one
        if not of_many and not cut and not isinstance(asked.get("_id"), ObjectId):
            yield f"one document, but of which shard? {shape}"
    bounded = any(collection == place and name in str(asked) for place, name in SORTED)
    if each.get("hasSortStage") and each.get("docsExamined") and not bounded:
        yield f"sorts in memory: {shape}"


def _shape(asked: Any) -> Any:
    """A filter without its values."""
    if isinstance(asked, Mapping):
        return {name: _shape(value) for name, value in asked.items()}
    if isinstance(asked, list):
        return [_shape(value) for value in asked[:3]]
    return type(asked).__name__
