"""The application: routes, and what stands around them. Everything it needs is handed in."""

from typing import Any

import falcon

from rrcli.clock import Clock
from rrcli.errors import SchedulerError
from rrcli.operations.context import Context
from rrcli_api import (
    audit,
    batch,
    calendars,
    docs,
    errors,
    events,
    health,
    preview,
    replay,
    resolve,
    schedules,
    skips,
    status,
    why,
)
from rrcli_api.access import Access
from rrcli_api.guard import Guard
from rrcli_api.idempotency import Idempotency
from rrcli_api.pages import routes as pages


def create_app(context: Context) -> falcon.App[Any, Any]:
    """The REST service over an open store; safe for any number of threads."""
    guard = Guard(context)
    app = _base(context.clock, guard, Idempotency(context))
    pages.install(app, context, guard.knows)
    _add_schedules(app, context)
    app.add_route("/api/preview", preview.Preview(context))
    app.add_route("/api/calendars", calendars.Calendars(context))
    app.add_route("/api/calendars/{name}", calendars.OneCalendar(context))
    app.add_route("/api/events", events.Events(context))
    app.add_route("/api/events/{event_id}", events.OneEvent(context))
    app.add_route("/api/events/{event_id}/cancel", events.CancelEvent(context))
    app.add_route("/api/events/{event_id}/replay", replay.ReplayEvent(context))
    app.add_route("/api/events/{event_id}/why", why.WhyEvent(context))
    app.add_route("/api/resolve/schedules", resolve.ResolveSchedules(context))
    app.add_route("/api/resolve/events", resolve.ResolveEvents(context))
    app.add_route("/api/status", status.Status(context))
    app.add_route("/readyz", health.Ready(context))
    return app


def _add_schedules(app: falcon.App[Any, Any], context: Context) -> None:
    one = "/api/schedules/{schedule_id}"
    app.add_route("/api/schedules", schedules.Schedules(context))
    app.add_route("/api/schedules:batch", batch.Batch(context))
    app.add_route(one, schedules.OneSchedule(context))
    app.add_route(f"{one}/pause", schedules.Pause(context))
    app.add_route(f"{one}/resume", schedules.Resume(context))
    app.add_route(f"{one}/trigger", schedules.Trigger(context))
    app.add_route(f"{one}/skip", skips.skip(context))
    app.add_route(f"{one}/unskip", skips.unskip(context))
    app.add_route(f"{one}/move", skips.move(context))
    app.add_route(f"{one}/occurrences", preview.Occurrences(context))
    app.add_route(f"{one}/replay", replay.ReplaySchedule(context))
    app.add_route(f"{one}/audit", audit.Audit(context))
    app.add_route(f"{one}/why", why.WhyInstant(context))
    app.add_route(f"{one}/events/pending", events.ScheduleEvents(context, "pending"))
    app.add_route(f"{one}/events/history", events.ScheduleEvents(context, "history"))


def create_waiting_app(clock: Clock, error: SchedulerError) -> falcon.App[Any, Any]:
    """What answers while the store cannot be opened: `error` for all that needs it."""

    def fail(req: falcon.Request, resp: falcon.Response, **_: Any) -> None:
        raise error

    app = _base(clock)
    app.add_sink(fail, "/(api/|readyz$|$|schedules|events|sign-in$)")
    return app


def _base(clock: Clock, *guards: Guard | Idempotency) -> falcon.App[Any, Any]:
    """What needs no store."""
    middleware: list[Any] = [Access(clock), *guards]
    app = falcon.App(middleware=middleware)
    app.req_options.strip_url_path_trailing_slash = True
    errors.install(app)
    app.add_route("/healthz", health.Alive())
    app.add_route("/docs/openapi.yml", docs.Specification())
    app.add_route("/swagger-ui", docs.SwaggerPage())
    app.add_route("/swagger-ui/{asset}", docs.SwaggerAsset())
    pages.install_open(app)
    return app
