"""/api/calendars: the holidays on which schedules do not run."""

import falcon

from rrcli.core.fields import Boolean
from rrcli.core.inputs import CALENDAR_NAME
from rrcli.errors import FieldError, MalformedRequest
from rrcli.operations import calendars
from rrcli.operations.views import calendar_summary, calendar_view
from rrcli_api.media import read_text, render
from rrcli_api.requests import query
from rrcli_api.resource import Resource


class Calendars(Resource):
    """The list of all, without their contents."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        found = calendars.find(self.context)
        render(resp, {"calendars": [calendar_summary(each) for each in found]})

    on_head = on_get


class OneCalendar(Resource):
    """One calendar, as it is stored. It comes in as an iCalendar file."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        query(req, {})
        render(resp, calendar_view(calendars.get(self.context, _require_name(name))))

    on_head = on_get

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        query(req, {})
        _require_name(name)
        calendar, new = calendars.put(self.context, name, read_text(req, "text/calendar"))
        resp.status = falcon.HTTP_201 if new else falcon.HTTP_200
        render(resp, calendar_summary(calendar))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        force = query(req, {"force": Boolean()}).get("force", False)
        calendars.delete(self.context, _require_name(name), force=force)
        render(resp, {"message": "Calendar deleted."})


def _require_name(name: str) -> str:
    errors: list[FieldError] = []
    CALENDAR_NAME(name, "name", errors)
    if errors:
        raise MalformedRequest(f"The name of a calendar {errors[0].allowed}.")
    return name
