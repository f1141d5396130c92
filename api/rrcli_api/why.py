"""The story of an event, or of an instant of a schedule, in sentences."""

import falcon

from rrcli.errors import FieldError
from rrcli.operations import events, schedules, why
from rrcli_api.errors import bad_parameters
from rrcli_api.media import render
from rrcli_api.requests import Instant, query, require_id
from rrcli_api.resource import Resource


class WhyEvent(Resource):
    """Where an event comes from, each attempt, how it ended, what is next."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, event_id: str) -> None:
        query(req, {})
        event = events.get(self.context, require_id(event_id, "an event"))
        render(resp, why.story_view(why.why(self.context, event)))

    on_head = on_get


class WhyInstant(Resource):
    """Why a schedule ran at a time, or did not."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        values = query(req, {"at": Instant()})
        require_id(schedule_id, "a schedule")
        if "at" not in values:
            raise bad_parameters([FieldError(field="at", value=None, allowed="is required")])
        schedule = schedules.get(self.context, schedule_id)
        render(resp, why.story_view(why.why_at(self.context, schedule, values["at"])))

    on_head = on_get
