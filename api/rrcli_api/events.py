"""/api/events, and the events of one schedule: what waits, and what has ended."""

from typing import Any

import falcon

from rrcli.core.fields import Choice, Text
from rrcli.core.models import Event
from rrcli.operations import events, schedules
from rrcli.operations.context import Context
from rrcli.operations.views import event_view
from rrcli.repository.base import Page
from rrcli_api.media import read_fields, render
from rrcli_api.requests import PAGING, paging, query, require_id
from rrcli_api.resource import Resource

_LISTS = ("pending", "history")


class ScheduleEvents(Resource):
    """Events of one schedule, in the original's shape: these three keys and no other."""

    def __init__(self, context: Context, which: str) -> None:
        super().__init__(context)
        self._which = which

    def on_get(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        page, limit, offset = paging(query(req, PAGING))
        schedules.get(self.context, require_id(schedule_id, "a schedule"))
        found = _look(self, self._which, schedule_id, limit, offset)
        render(resp, {"events": _views(found), "page": page, "limit": limit})

    on_head = on_get


class Events(Resource):
    """Events of all schedules, or of one with how many there are."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        values = query(req, {**PAGING, "state": Choice(_LISTS), "schedule_id": Text(24)})
        page, limit, offset = paging(values)
        schedule_id = values.get("schedule_id")
        if schedule_id is not None:
            require_id(schedule_id, "a schedule")
        found = _look(self, values.get("state", "pending"), schedule_id, limit, offset)
        render(resp, {"events": _views(found), "page": page, "limit": limit, "total": found.total})

    on_head = on_get


class OneEvent(Resource):
    """One event, live or archived."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, event_id: str) -> None:
        query(req, {})
        render(resp, event_view(events.get(self.context, require_id(event_id, "an event"))))

    on_head = on_get


class CancelEvent(Resource):
    """Takes a waiting event out of the queues."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, event_id: str) -> None:
        query(req, {})
        require_id(event_id, "an event")
        read_fields(req, {})
        render(resp, event_view(events.cancel(self.context, event_id)))


def _look(resource: Resource, which: str, schedule_id: str | None, limit: int, offset: int) -> Page[Event]:
    operation = events.pending if which == "pending" else events.history
    return operation(resource.context, schedule_id, limit=limit, offset=offset)


def _views(page: Page[Event]) -> list[dict[str, Any]]:
    return [event_view(event) for event in page.items]
