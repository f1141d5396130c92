"""`Service` by way of REST."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rrcli.core.calendars import Calendar
from rrcli.core.models import Event, Kind, Schedule
from rrcli.core.timefmt import format_instant
from rrcli.errors import Conflict
from rrcli.operations.audit import Absence, Report, require_range
from rrcli.operations.context import Context
from rrcli.operations.replay import Planned, Replayed, Tally
from rrcli.operations.service import Range
from rrcli.operations.summary import Summary, summary_of
from rrcli.operations.why import Step, Story
from rrcli.remote import records
from rrcli.remote.client import Client

Json = dict[str, Any]

ROWS_AT_ONCE = 1000


class Remote:
    """Changes and questions that a service answers; `context` looks at the same service."""

    def __init__(self, client: Client, context: Context) -> None:
        self._client = client
        self._context = context

    def create(self, data: Mapping[str, object]) -> Schedule:
        made = self._client.send("POST", "/api/schedules", data)
        return self._schedule(made["id"])

    def update(
        self, schedule_id: str, data: Mapping[str, object], *, expected_revision: int | None = None
    ) -> Schedule:
        self._client.send("PATCH", f"/api/schedules/{schedule_id}", data, revision=expected_revision)
        return self._schedule(schedule_id)

    def pause(self, schedule_id: str, *, expected_revision: int | None = None) -> Schedule:
        return self._changed(schedule_id, "pause", {}, expected_revision)

    def resume(self, schedule_id: str, *, expected_revision: int | None = None) -> Schedule:
        return self._changed(schedule_id, "resume", {}, expected_revision)

    def trigger(self, schedule_id: str) -> Event:
        return records.event(self._client.send("POST", f"/api/schedules/{schedule_id}/trigger", {}))

    def delete(self, schedule_id: str, *, expected_revision: int | None = None) -> None:
        self._client.send("DELETE", f"/api/schedules/{schedule_id}", revision=expected_revision)

    def skip(self, schedule_id: str, **options: Any) -> Schedule:
        return self._changed(schedule_id, "skip", options)

    def unskip(self, schedule_id: str, **options: Any) -> Schedule:
        return self._changed(schedule_id, "unskip", {"all": options.pop("everything", False)} | options)

    def move(self, schedule_id: str, **options: Any) -> Schedule:
        return self._changed(schedule_id, "move", options)

    def revealed(self, schedule: Schedule) -> Schedule:
        return records.schedule(self._client.get(f"/api/schedules/{schedule.id}", reveal=True))

    def cancel(self, event_id: str) -> Event:
        return records.event(self._client.send("POST", f"/api/events/{event_id}/cancel", {}))

    def replay(self, event_id: str, *, new_id: bool = False, force: bool = False) -> Replayed:
        asked = {"new_id": new_id, "force": force}
        view, is_new = self._client.make(f"/api/events/{event_id}/replay", asked)
        return Replayed(event=records.event(view), is_new=is_new)

    def plan(self, schedule: Schedule, what: Range) -> tuple[Tally, Iterator[Planned]]:
        require_range(what.start, what.end)
        tally = Tally()
        return tally, self._planned(schedule, what, tally)

    def _planned(self, schedule: Schedule, what: Range, tally: Tally) -> Iterator[Planned]:
        for part in self._parts(schedule, what, {"dry_run": True}):
            tally.instants += part["instants"]
            tally.planned += part["planned"]
            tally.already += part["already"]
            tally.under_way += part["under_way"]
            tally.left += part["left"]
            yield from (_planned(view) for view in part["events"])

    def enter(self, schedule: Schedule, what: Range, *, per_second: float | None = None) -> Iterator[int]:
        for part in self._parts(schedule, what, {} if per_second is None else {"rate": per_second}):
            yield part["planned"]

    def _parts(self, schedule: Schedule, what: Range, options: Mapping[str, object]) -> Iterator[Json]:
        """The range in parts that one request may have; the calls of each follow those of the one before."""
        path, start, calls = f"/api/schedules/{schedule.id}/replay", format_instant(what.start), 0
        while start is not None:
            asked = {
                "from": start,
                "to": format_instant(what.end),
                "only": what.only,
                "force": what.force,
                "limit": ROWS_AT_ONCE,
                **({"calls_before": calls} if calls else {}),
                **options,
            }
            part = self._client.send("POST", path, asked)
            yield part
            calls += part["planned"]
            start = part["next_from"]

    def audit(self, schedule: Schedule, start: datetime, end: datetime) -> tuple[Report, Iterator[Json]]:
        require_range(start, end)
        until = max(start, min(end, self._context.now()))
        made = Report(schedule_id=schedule.id, start=start, end=until, rule_since=schedule.created_at)
        return made, self._rows(made, format_instant(end))

    def _rows(self, made: Report, end: str) -> Iterator[Json]:
        path, start = f"/api/schedules/{made.schedule_id}/audit", format_instant(made.start)
        while start is not None:
            part = self._client.get(path, **{"from": start, "to": end, "limit": ROWS_AT_ONCE})
            _add(made, part)
            yield from part["rows"]
            start = part["next_from"]

    def why(self, event: Event) -> Story:
        return self._story(self._client.get(f"/api/events/{event.id}/why"))

    def why_at(self, schedule: Schedule, instant: datetime) -> Story:
        view = self._client.get(f"/api/schedules/{schedule.id}/why", at=format_instant(instant))
        return self._story(view)

    def _story(self, view: Json) -> Story:
        event_id, schedule_id = view["event_id"], view["schedule_id"]
        repository = self._context.repository
        return Story(
            run_time=records.instant(view["run_time"]),
            event=repository.events.find(event_id) if event_id else None,
            schedule=repository.schedules.get([schedule_id]).get(schedule_id) if schedule_id else None,
            steps=tuple(
                Step(sentence=step["sentence"], time=records.maybe(step["time"])) for step in view["story"]
            ),
        )

    def put_calendar(self, name: str, text: str, *, overwrite: bool = True) -> Calendar:
        known = self._context.repository.calendars.versions([name])
        if known and not overwrite:
            raise Conflict(
                f"There already is a calendar {name}.", hint="Put this one in its place: --replace"
            )
        self._client.put_text(f"/api/calendars/{name}", text, "text/calendar")
        return self._context.repository.calendars.get([name])[name]

    def delete_calendar(self, name: str, *, force: bool = False) -> None:
        self._client.send("DELETE", f"/api/calendars/{name}" + ("?force=true" if force else ""))

    def summary(self) -> Summary:
        return summary_of(self._client.get("/api/status"))

    def absent(self) -> Sequence[str]:
        return self.summary().status.absent

    def _schedule(self, schedule_id: str) -> Schedule:
        return records.schedule(self._client.get(f"/api/schedules/{schedule_id}"))

    def _changed(
        self, schedule_id: str, verb: str, options: dict[str, Any], revision: int | None = None
    ) -> Schedule:
        """What a change under /api/schedules/ID/VERB answers: the schedule as it is then."""
        revision = options.pop("expected_revision", revision)
        data = {
            name: format_instant(value) if isinstance(value, datetime) else value
            for name, value in options.items()
            if value is not None
        }
        path = f"/api/schedules/{schedule_id}/{verb}"
        return records.schedule(self._client.send("POST", path, data, revision=revision))


def _planned(view: Json) -> Planned:
    return Planned(
        event_id=view["event_id"],
        run_time=records.instant(view["run_time"]),
        kind=Kind(view["kind"]),
        outcome=view["outcome"],
        replay_of=view["replay_of"],
        webhook_id=view["webhook_id"],
    )


def _add(made: Report, part: Json) -> None:
    """One more part of an audit to what was counted before."""
    made.instants += part["instants"]
    made.outcomes += Counter(part["outcomes"])
    made.extra += Counter(part["extra"])
    made.doubled_count += part["doubled"]
    made.rule_since = records.instant(part["rule_since"])
    made.missing += [
        records.instant(row["run_time"]) for row in part["rows"] if row["outcome"] == Absence.MISSING
    ]
