"""Calls that are made again, or after all: of one event, or of a range of a schedule."""

from collections.abc import Mapping

import falcon

from rrcli.core.fields import Boolean, Check, Choice, Integer, Number
from rrcli.operations import replay, schedules
from rrcli.operations.replay import Only
from rrcli.operations.views import event_view
from rrcli_api.media import read_fields, render
from rrcli_api.requests import Instant, query, require_id
from rrcli_api.resource import Resource

DEFAULT_LIMIT = 1000

_EVENT: Mapping[str, Check] = {"new_id": Boolean(), "force": Boolean()}
_RANGE: Mapping[str, Check] = {
    "from": Instant(),
    "to": Instant(),
    "only": Choice(tuple(Only)),
    "dry_run": Boolean(),
    "rate": Number(replay.SLOWEST, replay.FASTEST),
    "force": Boolean(),
    "limit": Integer(1, replay.REQUEST_LIMIT),
    "calls_before": Integer(0, 1_000_000_000),
}


class ReplayEvent(Resource):
    """Makes the call of an event again: 201 with a new event, 200 with one of the same replay."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, event_id: str) -> None:
        query(req, {})
        require_id(event_id, "an event")
        made = replay.replay(self.context, event_id, **read_fields(req, _EVENT), seed=self.seed(req))
        resp.status = falcon.HTTP_201 if made.is_new else falcon.HTTP_200
        resp.set_header("Location", f"/api/events/{made.event.id}")
        render(resp, event_view(made.event))


class ReplaySchedule(Resource):
    """Enters what the rule has in a range and the ledger lacks, or has as asked for; in bounded parts."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        query(req, {})
        require_id(schedule_id, "a schedule")
        values = read_fields(req, _RANGE, required=("from", "to"))
        schedule = schedules.get(self.context, schedule_id)
        tally, chosen = replay.plan(
            self.context,
            schedule,
            values["from"],
            values["to"],
            only=Only(values.get("only", Only.ALL)),
            force=values.get("force", False),
            most=values.get("limit", DEFAULT_LIMIT),
            most_instants=replay.INSTANTS_PER_REQUEST,
            seed=self.seed(req),
        )
        planned = list(chosen)
        dry_run = values.get("dry_run", False)
        if not dry_run:
            for _ in replay.enter(
                self.context,
                schedule,
                planned,
                per_second=values.get("rate"),
                calls_before=values.get("calls_before", 0),
            ):
                pass
        events = [replay.planned_view(each) for each in planned]
        render(resp, replay.tally_view(tally, dry_run=dry_run) | {"events": events})
