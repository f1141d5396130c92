"""How everything is doing, as `rrcli status` tells it."""

import falcon

from rrcli import __version__
from rrcli.operations.summary import summary, summary_view
from rrcli_api.media import render
from rrcli_api.requests import query
from rrcli_api.resource import Resource


class Status(Resource):
    """Daemons, queues, lateness, counts, and the next occurrences."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        key = req.context.api_key
        about = {"version": __version__, "scope": key and key.scope}
        render(resp, about | summary_view(summary(self.context)))

    on_head = on_get
