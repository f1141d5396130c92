"""/api/events, and the events of one schedule: what waits, and what has ended."""

from collections.abc import Mapping
from typing import Any

import falcon

from rrcli.core.fields import Check, Choice, Text
from rrcli.core.models import Event, EventState
from rrcli.operations import events, lists, schedules
from rrcli.operations.context import Context
from rrcli.operations.views import event_view
from rrcli.repository.base import EventQuery, Page
from rrcli_api.media import read_fields, render
from rrcli_api.requests import PAGING, Instant, by_cursor, paging, part_of, query, require_id
from rrcli_api.resource import Resource

_LISTS = ("pending", "history")
_FILTERS: Mapping[str, Check] = {"status": Choice(tuple(EventState)), "from": Instant(), "to": Instant()}


class ScheduleEvents(Resource):
    """Events of one schedule, in the original's shape: these three keys and no other."""

    def __init__(self, context: Context, which: str) -> None:
        super().__init__(context)
        self._which = which

    def on_get(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        values = query(req, {**PAGING, **_FILTERS})
        schedules.get(self.context, require_id(schedule_id, "a schedule"))
        if by_cursor(values, *_FILTERS):
            _show_part(self, resp, values, schedule_id, history=self._which == "history")
            return
        page, limit, offset = paging(values)
        found = _look(self, self._which, schedule_id, limit, offset)
        render(resp, {"events": _views(found), "page": page, "limit": limit})

    on_head = on_get


class Events(Resource):
    """Events of all schedules, or of one with how many there are."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        values = query(req, {**PAGING, **_FILTERS, "state": Choice(_LISTS), "schedule_id": Text(24)})
        schedule_id = values.get("schedule_id")
        if schedule_id is not None:
            require_id(schedule_id, "a schedule")
        if by_cursor(values, *_FILTERS):
            _show_part(self, resp, values, schedule_id, history=values.get("state") == "history")
            return
        page, limit, offset = paging(values)
        found = _look(self, values.get("state", "pending"), schedule_id, limit, offset)
        counted = {"total": found.total, "total_exact": found.exact}
        render(resp, {"events": _views(found), "page": page, "limit": limit, **counted})

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


def _show_part(
    resource: Resource,
    resp: falcon.Response,
    values: Mapping[str, Any],
    schedule_id: str | None,
    *,
    history: bool,
) -> None:
    """A part of a list, by its cursor; as quick deep in the list as at its beginning."""
    cursor, limit = part_of(values)
    asked = EventQuery(
        schedule_id=schedule_id,
        state=EventState(values["status"]) if "status" in values else None,
        start=values.get("from"),
        end=values.get("to"),
    )
    part = lists.events_after(resource.context, cursor, asked, history=history, limit=limit)
    render(resp, {"events": [event_view(each) for each in part.items], "limit": limit, "next": part.next})


def _views(page: Page[Event]) -> list[dict[str, Any]]:
    return [event_view(event) for event in page.items]
