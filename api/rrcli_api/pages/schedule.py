"""`/schedules/{id}`: one schedule, its days past and planned, its history, and the buttons."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import islice

import falcon

from rrcli.core.exclusions import allowed_from
from rrcli.core.fields import Check, Integer
from rrcli.core.models import Schedule, ScheduleState
from rrcli.errors import InvalidRule
from rrcli.operations import changes, events, replay, schedules
from rrcli.operations.days import Day, days
from rrcli.operations.replay import Only
from rrcli.operations.rules import recurrence_of
from rrcli.operations.views import schedule_view
from rrcli_api.pages import drawing, html
from rrcli_api.pages.session import form, reader
from rrcli_api.requests import PAGES, query, require_id
from rrcli_api.resource import Resource

EVENTS_PER_PAGE = 25
_NEXT = 5
_REPLAYED_BACK = timedelta(days=7)
_PAGE: Mapping[str, Check] = {"page": Integer(1, PAGES), "done": Integer(0, 10**6)}


class OneSchedule(Resource):
    """What a person wants to know of a schedule."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        chosen = query(req, _PAGE)
        schedule = schedules.get(self.context, require_id(schedule_id, "a schedule"))
        page = chosen.get("page", 1)
        history = events.history(
            self.context, schedule.id, limit=EVENTS_PER_PAGE, offset=(page - 1) * EVENTS_PER_PAGE
        )
        described, upcoming, listed = self._planned(schedule)
        html.show(
            resp,
            "schedule.html",
            schedule=schedule,
            shown=schedule_view(schedule, self.context.now()),
            described=described,
            upcoming=upcoming,
            calendar=drawing.calendar(listed) if listed else None,
            history=history,
            pending=events.pending(self.context, schedule.id, limit=_NEXT),
            now=self.context.now(),
            page=page,
            pages=max(1, -(-history.total // EVENTS_PER_PAGE)),
            queued=chosen.get("done"),
            **reader(req),
        )

    on_head = on_get

    def _planned(self, schedule: Schedule) -> tuple[str, list[object], list[Day]]:
        """The rule in words, the next occurrences, the days; of a rule that cannot be read, why."""
        try:
            recurrence = recurrence_of(schedule)
            listed = days(self.context, schedule)
        except InvalidRule as error:
            return f"The rule cannot be read: {error.message}", [], []
        upcoming: list[object] = []
        if schedule.state is ScheduleState.ACTIVE:
            exclusions = self.context.exclusions([schedule])[schedule.id]
            upcoming += islice(allowed_from(recurrence, exclusions, self.context.now()), _NEXT)
        return recurrence.describe(), upcoming, listed


class Pause(Resource):
    """The button that stops a schedule."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        changes.pause(self.context, require_id(schedule_id, "a schedule"), reason="Paused on the dashboard")
        html.go(resp, f"/schedules/{schedule_id}")


class Resume(Resource):
    """The button that starts it again."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        changes.resume(self.context, require_id(schedule_id, "a schedule"))
        html.go(resp, f"/schedules/{schedule_id}")


class Trigger(Resource):
    """The button that calls once, now."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        made = events.trigger(self.context, require_id(schedule_id, "a schedule"))
        html.go(resp, f"/events/{made.id}")


class ReplayFailed(Resource):
    """The button that calls again what failed within a week, or was missed."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        schedule = schedules.get(self.context, require_id(schedule_id, "a schedule"))
        now = self.context.now()
        _, chosen = replay.plan(
            self.context,
            schedule,
            now - _REPLAYED_BACK,
            now,
            only=Only(form(req).get("only", Only.FAILED)),
            most=replay.REQUEST_LIMIT,
            most_instants=replay.INSTANTS_PER_REQUEST,
        )
        queued = sum(replay.enter(self.context, schedule, list(chosen)))
        html.go(resp, f"/schedules/{schedule_id}?done={queued}")


class Delete(Resource):
    """The button that removes it with all its events."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        schedules.delete(self.context, require_id(schedule_id, "a schedule"))
        html.go(resp, "/")
