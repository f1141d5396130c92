"""Cross-origin requests (WHATWG Fetch): refused by browsers unless the origin is named in the settings."""

from collections.abc import Collection

import falcon

from rrcli_api.idempotency import HEADER, REPLAYED

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_HEADERS = f"Authorization, Content-Type, {HEADER}, If-Match, If-None-Match, X-Request-Id"
_EXPOSED = f"ETag, {REPLAYED}, Location, Retry-After, X-Request-Id"
_MAX_AGE_SECONDS = "600"


class Cors:
    """Answers preflights before any key is asked for: a browser sends none with them."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(each.lower() for each in origins)

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        origin = self._allowed(req)
        if origin and req.method == "OPTIONS" and req.get_header("Access-Control-Request-Method"):
            resp.status = falcon.HTTP_204
            resp.set_header("Access-Control-Allow-Methods", _METHODS)
            resp.set_header("Access-Control-Allow-Headers", _HEADERS)
            resp.set_header("Access-Control-Max-Age", _MAX_AGE_SECONDS)
            resp.complete = True

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        resp.append_header("Vary", "Origin")
        if origin := self._allowed(req):
            resp.set_header("Access-Control-Allow-Origin", origin)
            resp.set_header("Access-Control-Expose-Headers", _EXPOSED)

    def _allowed(self, req: falcon.Request) -> str | None:
        origin = req.get_header("Origin")
        return origin if origin is not None and origin.lower() in self._origins else None
