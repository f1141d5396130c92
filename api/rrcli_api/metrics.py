"""/metrics: what the store and this service say of themselves, for Prometheus."""

from collections.abc import Iterator

import falcon

from rrcli.exposition import CONTENT_TYPE, text
from rrcli.metrics import METRICS, Reading
from rrcli.operations.context import Context
from rrcli.operations.readings import store_readings
from rrcli_api.requests import query
from rrcli_api.resource import Resource
from rrcli_api.shared import Shared

_DECLARED = tuple(each for each in METRICS if "api" in each.sources)


class Metrics(Resource):
    """Whichever worker process is asked, the answer is that of all."""

    def __init__(self, context: Context, shared: Shared) -> None:
        super().__init__(context)
        self._shared = shared

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        resp.data = text(self._readings, _DECLARED)
        resp.content_type = CONTENT_TYPE

    on_head = on_get

    def _readings(self) -> Iterator[Reading]:
        yield from store_readings(self.context)
        yield from self._shared.requests.readings()
