"""`/events/{id}`: the story of one event, and the button that calls again."""

import falcon

from rrcli.operations import events, replay
from rrcli.operations.why import why
from rrcli_api.pages import html
from rrcli_api.pages.session import reader
from rrcli_api.requests import query, require_id
from rrcli_api.resource import Resource


class OneEvent(Resource):
    """What was planned, what was tried, what was answered."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, event_id: str) -> None:
        query(req, {})
        event = events.get(self.context, require_id(event_id, "an event"))
        html.show(
            resp,
            "event.html",
            event=event,
            story=why(self.context, event),
            now=self.context.now(),
            **reader(req),
        )

    on_head = on_get


class Replay(Resource):
    """The button that makes the call again; it leads to the new event."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, event_id: str) -> None:
        made = replay.replay(self.context, require_id(event_id, "an event"))
        html.go(resp, f"/events/{made.event.id}")


class Cancel(Resource):
    """The button that takes a waiting event out of the queues."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, event_id: str) -> None:
        cancelled = events.cancel(self.context, require_id(event_id, "an event"))
        html.go(resp, f"/events/{cancelled.id}")
