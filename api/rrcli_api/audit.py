"""Each instant of a schedule beside its entry in the ledger."""

from collections.abc import Mapping

import falcon

from rrcli.core.fields import Check, Integer
from rrcli.core.timefmt import format_instant
from rrcli.operations import audit
from rrcli_api.media import render
from rrcli_api.requests import Instant, query, require_id
from rrcli_api.resource import Resource

DEFAULT_LIMIT = 1000

_RANGE: Mapping[str, Check] = {
    "from": Instant(),
    "to": Instant(),
    "limit": Integer(1, audit.ROWS_LIMIT),
}


class Audit(Resource):
    """A part of the audit, and where to go on."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, schedule_id: str) -> None:
        values = query(req, _RANGE)
        require_id(schedule_id, "a schedule")
        end = values.get("to", self.context.now())
        made, rows, next_from = audit.page(
            self.context,
            schedule_id,
            values.get("from", end - audit.DEFAULT_RANGE),
            end,
            limit=values.get("limit", DEFAULT_LIMIT),
        )
        data = audit.report_view(made) | {
            "rows": [audit.row_view(row) for row in rows],
            "next_from": next_from and format_instant(next_from),
        }
        render(resp, data)

    on_head = on_get
