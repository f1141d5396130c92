"""`/schedules/new`: a form that shows when a rule runs before anything is stored."""

import falcon

from rrcli.core.api_keys import Scope
from rrcli.errors import InvalidInput
from rrcli.operations import schedules
from rrcli.operations.preview import Preview, preview
from rrcli_api.guard import require_scope
from rrcli_api.pages import html
from rrcli_api.pages.session import form, reader
from rrcli_api.requests import query
from rrcli_api.resource import Resource

_FIELDS = ("name", "rrule", "timezone", "callback_url", "method", "body", "tags")
_SHOWN = 8


class NewSchedule(Resource):
    """Shown empty; posted with `look` it shows the occurrences, else it makes the schedule."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        require_scope(req, Scope.WRITE)
        self._show(req, resp, dict.fromkeys(_FIELDS, ""), {})

    on_head = on_get

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        posted = form(req)
        given = {name: posted.get(name, "").strip() for name in _FIELDS}
        try:
            if "look" in posted:
                found = preview(
                    given["rrule"], given["timezone"] or None, now=self.context.now(), limit=_SHOWN
                )
                self._show(req, resp, given, {}, found)
                return
            made = schedules.create(self.context, _data(given))
        except InvalidInput as error:
            resp.status = falcon.HTTP_422
            self._show(req, resp, given, {each.field: each.allowed for each in error.fields})
            return
        html.go(resp, f"/schedules/{made.id}")

    def _show(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        given: dict[str, str],
        refused: dict[str, str],
        found: Preview | None = None,
    ) -> None:
        html.show(
            resp,
            "new.html",
            given=given,
            refused=refused,
            others={name: said for name, said in refused.items() if name not in _FIELDS},
            found=found,
            described=found.recurrence.describe() if found else "",
            now=self.context.now(),
            **reader(req),
        )


def _data(given: dict[str, str]) -> dict[str, object]:
    """The form as the JSON that REST takes; what is empty is not given."""
    data: dict[str, object] = {name: value for name, value in given.items() if value and name != "tags"}
    tags = [tag.strip() for tag in given["tags"].split(",") if tag.strip()]
    return data | ({"tags": tags} if tags else {})
