"""Whether this process lives, and whether it can work."""

import falcon

from rrcli_api.media import render
from rrcli_api.requests import query
from rrcli_api.resource import Resource


class Alive:
    """The process answers; the store is not asked, for a restart would not mend it."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        render(resp, {"status": "ok"})

    on_head = on_get


class Ready(Resource):
    """The store answers too; 503 with the reason while it does not."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        self.context.repository.ping()
        render(resp, {"status": "ready"})

    on_head = on_get
