"""What the API is compared with: Falcon handlers that make the store's call and hardly anything else.

No check of what comes in, no keys, no log; the same gunicorn, the same settings, the same store. One more
reads the rule, as whoever stores a schedule must to know its next run; and one shows the whole schedule and
writes a line about it, as whoever runs a service wants.
"""

import json
import logging
import secrets
from datetime import datetime, timedelta

import falcon

from rrcli import log, settings
from rrcli.clock import SystemClock
from rrcli.core.ids import random_id
from rrcli.core.models import Schedule, whole_ms
from rrcli.operations.rules import accept_new
from rrcli.operations.views import schedule_view
from rrcli.repository.base import Repository
from rrcli.repository.factory import open_repository

_store: list[Repository] = []


def _repository() -> Repository:
    """Opened in the process that serves."""
    if not _store:
        loaded = settings.load().settings
        log.setup(loaded.log.level, loaded.log.format)
        opened = open_repository(loaded)
        opened.init()
        _store.append(opened)
    return _store[0]


class Schedules:
    """Stores what came."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        given = req.get_media()
        now = whole_ms(SystemClock().now())
        next_run = self.first_run(given, now)
        schedule = Schedule(
            id=random_id(now, secrets.token_bytes(8)),
            name=given["name"],
            rrule=given["rrule"],
            callback_url=given["callback_url"],
            method=given["method"],
            headers=given["headers"],
            body=given["body"],
            next_run=next_run,
            created_at=now,
            updated_at=now,
        )
        _repository().schedules.add([schedule])
        resp.status = falcon.HTTP_201
        resp.data = json.dumps({"id": schedule.id}).encode()

    def first_run(self, given: dict[str, str], now: datetime) -> datetime | None:
        """Any instant will do."""
        return now + timedelta(days=1)


class RuledSchedules(Schedules):
    """Stores what came, and when it first occurs."""

    def first_run(self, given: dict[str, str], now: datetime) -> datetime | None:
        return accept_new(given["rrule"], None, anchor=now)[1]


class OneSchedule:
    """Shows the fields that need no conversion."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        found = _repository().schedules.get([schedule_id])[schedule_id]
        shown = {
            name: getattr(found, name)
            for name in ("id", "name", "rrule", "callback_url", "method", "body", "state", "revision")
        }
        resp.data = json.dumps(shown).encode()


class WholeSchedule:
    """Shows all fields under a tag, and logs the request under an id."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        request_id = secrets.token_hex(8)
        found = _repository().schedules.get([schedule_id])[schedule_id]
        resp.data = json.dumps(schedule_view(found, SystemClock().now())).encode()
        resp.set_headers({"ETag": f'"{found.revision}"', "X-Request-Id": request_id})
        said = {"action": "http_request", "method": req.method, "path": req.path, "request_id": request_id}
        logging.getLogger(__name__).info("%s %s answered 200", req.method, req.path, extra=said)


def make() -> falcon.App:  # type: ignore[type-arg]
    """The application."""
    made = falcon.App()
    made.add_route("/api/schedules", Schedules())
    made.add_route("/api/ruled-schedules", RuledSchedules())
    made.add_route("/api/schedules/{schedule_id}", OneSchedule())
    made.add_route("/api/whole-schedules/{schedule_id}", WholeSchedule())
    return made


app = make()
