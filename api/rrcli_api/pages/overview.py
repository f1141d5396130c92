"""`/`: all schedules, the queues, and how late calls are now."""

from collections.abc import Mapping

import falcon

from rrcli.core.fields import Check, Choice, Integer, Text
from rrcli.core.models import ScheduleState
from rrcli.operations.lines import lines
from rrcli.operations.summary import summary
from rrcli_api.pages import html
from rrcli_api.pages.session import reader
from rrcli_api.requests import PAGES, query
from rrcli_api.resource import Resource

SCHEDULES_PER_PAGE = 50

_FILTERS: Mapping[str, Check] = {
    "page": Integer(1, PAGES),
    "state": Choice(tuple(ScheduleState)),
    "name": Text(200),
    "tag": Text(64),
}


class Overview(Resource):
    """One page of schedules under the filters of the form on it."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        chosen = query(req, _FILTERS, of_form=True)
        page = chosen.get("page", 1)
        found = lines(
            self.context,
            state=ScheduleState(chosen["state"]) if "state" in chosen else None,
            name=chosen.get("name"),
            tag=chosen.get("tag"),
            limit=SCHEDULES_PER_PAGE,
            offset=(page - 1) * SCHEDULES_PER_PAGE,
        )
        html.show(
            resp,
            "overview.html",
            found=found,
            whole=summary(self.context),
            now=self.context.now(),
            chosen={"name": "", "state": "", "tag": ""} | chosen,
            states=tuple(ScheduleState),
            page=page,
            pages=max(1, -(-found.total // SCHEDULES_PER_PAGE)),
            **reader(req),
        )

    on_head = on_get
