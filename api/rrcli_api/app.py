"""The application: routes, and what stands around them. Everything it needs is handed in."""

from collections.abc import Sequence
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
    feeds,
    health,
    metrics,
    preview,
    replay,
    resolve,
    schedules,
    skips,
    status,
    why,
)
from rrcli_api.access import Access
from rrcli_api.compression import Compression
from rrcli_api.cors import Cors
from rrcli_api.guard import Guard
from rrcli_api.idempotency import Idempotency
from rrcli_api.limits import RateLimit
from rrcli_api.pages import routes as pages
from rrcli_api.shared import Shared


def create_app(context: Context, shared: Shared | None = None) -> falcon.App[Any, Any]:
    """The REST service over an open store; safe for any number of threads.

    `shared` is what the processes of one service have in common; without it this one is alone.
    """
    shared = shared or Shared()
    guard = Guard(context)
    limit = RateLimit(context, shared.buckets)
    around = [guard, limit, Idempotency(context)]
    app = _base(context.clock, shared, *around, origins=context.settings.api.cors_origins)
    pages.install(app, context, guard.find)
    _add_schedules(app, context)
    app.add_route("/api/preview", preview.Preview(context))
    app.add_route("/api/calendar.ics", feeds.AllFeed(context))
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
    app.add_route("/metrics", metrics.Metrics(context, shared))
    return app


def _add_schedules(app: falcon.App[Any, Any], context: Context) -> None:
    one = "/api/schedules/{schedule_id}"
    app.add_route("/api/schedules", schedules.Schedules(context))
    app.add_route("/api/schedules:batch", batch.Batch(context))
    app.add_route(one, schedules.OneSchedule(context))
    app.add_route(f"{one}.ics", feeds.ScheduleFeed(context))
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


def create_waiting_app(
    clock: Clock, error: SchedulerError, shared: Shared | None = None
) -> falcon.App[Any, Any]:
    """What answers while the store cannot be opened: `error` for all that needs it."""

    def fail(req: falcon.Request, resp: falcon.Response, **_: Any) -> None:
        raise error

    app = _base(clock, shared or Shared())
    app.add_sink(fail, "/(api/|readyz$|metrics$|$|schedules|events|sign-in$)")
    return app


def _base(clock: Clock, shared: Shared, *around: object, origins: Sequence[str] = ()) -> falcon.App[Any, Any]:
    """What needs no store."""
    cors = [Cors(origins)] if origins else []
    middleware: list[Any] = [Access(clock, shared.requests), Compression(), *cors, *around]
    app = falcon.App(middleware=middleware)
    app.req_options.strip_url_path_trailing_slash = True
    errors.install(app)
    app.add_route("/healthz", health.Alive())
    app.add_route("/docs/openapi.yml", docs.Specification())
    app.add_route("/swagger-ui", docs.SwaggerPage())
    app.add_route("/swagger-ui/{asset}", docs.SwaggerAsset())
    pages.install_open(app)
    return app
