"""/api/calendar.ics and /api/schedules/{id}.ics: what calendar programs subscribe to."""

import re
from collections.abc import Mapping
from hashlib import sha256

import falcon

from rrcli.core.fields import Check, Text
from rrcli.operations import ics_feed, schedules
from rrcli_api.requests import query, require_id
from rrcli_api.resource import Resource

MEDIA = "text/calendar; charset=utf-8"
TOKEN = "token"  # noqa: S105 the name of a parameter

_TOKEN: Mapping[str, Check] = {TOKEN: Text(100)}
_TAG: Mapping[str, Check] = {**_TOKEN, "tag": Text(64)}


class Feed(Resource):
    """A key of scope feed is enough for these, and may stand in the query."""

    is_feed = True


class ScheduleFeed(Feed):
    """The past runs of one schedule with their outcome, and the runs to come."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        query(req, _TOKEN)
        found = schedules.get(self.context, require_id(schedule_id, "a schedule"))
        _answer(req, resp, ics_feed.of_schedule(self.context, found))

    on_head = on_get


class AllFeed(Feed):
    """The same of all schedules, or of those with a tag."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        tag = query(req, _TAG).get("tag")
        _answer(req, resp, ics_feed.of_all(self.context, tag=tag))

    on_head = on_get


def token_of(req: falcon.Request) -> str | None:
    """The key in the query of a feed: calendar programs can send no header."""
    if not req.path.endswith(".ics"):  # as nearly all
        return None
    is_feed = req.path == "/api/calendar.ics" or re.fullmatch(r"/api/schedules/[^/]+\.ics", req.path)
    return req.get_param(TOKEN) if is_feed else None


def _answer(req: falcon.Request, resp: falcon.Response, text: str) -> None:
    data = text.encode()
    tag = f'"{sha256(data).hexdigest()[:32]}"'
    resp.set_header("ETag", tag)
    resp.set_header("Cache-Control", "private, no-cache")
    if any(each in ("*", falcon.ETag.loads(tag)) for each in req.if_none_match or ()):
        resp.status = falcon.HTTP_304
        return
    resp.data = data
    resp.content_type = MEDIA
