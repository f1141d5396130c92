"""/api/schedules: create, read, change, pause, resume, trigger, delete."""

from collections.abc import Mapping, Sequence
from typing import Any

import falcon

from rrcli.core.fields import Boolean, Check, Choice, Text
from rrcli.core.models import Schedule, ScheduleState
from rrcli.operations import changes, events, lists, schedules
from rrcli.operations.views import event_view, schedule_view
from rrcli_api.guard import may_reveal
from rrcli_api.media import answer, read_fields, read_object, render
from rrcli_api.requests import (
    PAGING,
    by_cursor,
    etag,
    is_known,
    paging,
    part_of,
    query,
    require_id,
)
from rrcli_api.resource import Resource
from rrcli_api.shown import shown

_REVEAL: Mapping[str, Check] = {"reveal": Boolean()}
_FILTERS: Mapping[str, Check] = {
    **PAGING,
    **_REVEAL,
    "state": Choice(tuple(ScheduleState)),
    "name": Text(200),
    "tag": Text(64),
}
_PAUSE: Mapping[str, Check] = {"reason": Text(500)}


class Schedules(Resource):
    """The list of all, and the place where new ones are made."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        values = query(req, _FILTERS)
        reveal = may_reveal(req, values.get("reveal", False))
        filters: dict[str, Any] = {
            "state": ScheduleState(values["state"]) if "state" in values else None,
            "name": values.get("name"),
            "tag": values.get("tag"),
        }
        if by_cursor(values):
            cursor, limit = part_of(values)
            part = lists.schedules_after(self.context, cursor, **filters, limit=limit)
            items = self._views(part.items, reveal)
            render(resp, {"schedules": items, "limit": limit, "next": part.next})
        else:
            page, limit, offset = paging(values)
            found = schedules.find(self.context, **filters, limit=limit, offset=offset)
            items = self._views(found.items, reveal)
            render(resp, {"schedules": items, "page": page, "limit": limit, "total": found.total})

    def _views(self, found: Sequence[Schedule], reveal: bool) -> list[dict[str, Any]]:
        now = self.context.now()
        exclusions = self.context.exclusions(found)
        return [schedule_view(each, now, exclusions=exclusions[each.id], reveal=reveal) for each in found]

    on_head = on_get

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        schedule = schedules.create(self.context, read_object(req), seed=self.seed(req))
        resp.status = falcon.HTTP_201
        resp.set_header("Location", f"/api/schedules/{schedule.id}")
        _tag(resp, schedule)
        render(resp, {"id": schedule.id})


class OneSchedule(Resource):
    """One schedule. PUT and PATCH are the same: both change the fields given and keep the others."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        reveal = may_reveal(req, query(req, _REVEAL).get("reveal", False))
        found = schedules.get(self.context, require_id(schedule_id, "a schedule"))
        exclusions = self.context.exclusions([found])[found.id]
        made = shown(found, self.context.now(), exclusions, reveal=reveal)
        answer(resp, made.body)
        resp.set_header("ETag", made.tag)
        if is_known(req, made.tag):
            resp.status, resp.data = falcon.HTTP_304, None
            resp.delete_header("Content-Type")

    on_head = on_get

    def on_put(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        query(req, {})
        require_id(schedule_id, "a schedule")
        data = read_object(req)
        changed = self.guarded(
            req,
            schedule_id,
            lambda revision: changes.update(self.context, schedule_id, data, expected_revision=revision),
        )
        _tag(resp, changed)
        render(resp, {"message": "Schedule updated successfully."})

    on_patch = on_put

    def on_delete(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        query(req, {})
        require_id(schedule_id, "a schedule")
        self.guarded(
            req,
            schedule_id,
            lambda revision: schedules.delete(self.context, schedule_id, expected_revision=revision),
        )
        render(resp, {"message": "Schedule and associated events deleted."})


class Pause(Resource):
    """Stops a schedule until it is resumed."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        query(req, {})
        require_id(schedule_id, "a schedule")
        reason = read_fields(req, _PAUSE).get("reason")
        paused = self.guarded(
            req,
            schedule_id,
            lambda revision: changes.pause(
                self.context, schedule_id, reason=reason, expected_revision=revision
            ),
        )
        show(self, resp, paused)


class Resume(Resource):
    """Starts a paused schedule again."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        query(req, {})
        require_id(schedule_id, "a schedule")
        read_fields(req, {})
        resumed = self.guarded(
            req,
            schedule_id,
            lambda revision: changes.resume(self.context, schedule_id, expected_revision=revision),
        )
        show(self, resp, resumed)


class Trigger(Resource):
    """Calls once, now."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        query(req, {})
        require_id(schedule_id, "a schedule")
        read_fields(req, {})
        event = events.trigger(self.context, schedule_id, seed=self.seed(req))
        resp.status = falcon.HTTP_201
        resp.set_header("Location", f"/api/events/{event.id}")
        render(resp, event_view(event))


def show(resource: Resource, resp: falcon.Response, schedule: Schedule) -> None:
    """Answer one schedule, its revision as ETag."""
    _tag(resp, schedule)
    context = resource.context
    exclusions = context.exclusions([schedule])[schedule.id]
    render(resp, schedule_view(schedule, context.now(), exclusions=exclusions))


def _tag(resp: falcon.Response, schedule: Schedule) -> None:
    resp.set_header("ETag", etag(schedule.revision))
