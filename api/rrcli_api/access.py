"""What happens around every request: its id, the log line, headers that all answers carry."""

import logging
import re
from random import getrandbits
from typing import Any
from urllib.parse import quote

import falcon

from rrcli.clock import Clock
from rrcli.errors import MalformedRequest
from rrcli_api.access_line import AccessLine
from rrcli_api.shared import Requests

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = frozenset({"/healthz", "/readyz"})
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/:-]*")
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


class Access:
    """Gives every request an id and writes one line about it, without its query and headers."""

    def __init__(self, clock: Clock, requests: Requests) -> None:
        self._clock = clock
        self._requests = requests

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """A caller's own X-Request-Id is kept when it is harmless, so that logs of both sides meet."""
        given = req.env.get("HTTP_X_REQUEST_ID")
        kept = given if given is not None and _REQUEST_ID.fullmatch(given) else None
        # No secret, only an id: to ask the kernel for it would let another thread go first.
        req.context.request_id = kept or f"{getrandbits(64):016x}"
        req.context.started = self._clock.monotonic()

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: dict[str, Any]
    ) -> None:
        """Refuse a body where none is read, rather than to ignore what it may say."""
        if not req.content_length or req.method not in _WITHOUT_BODY:
            return
        if hasattr(resource, f"on_{req.method.lower()}"):  # else 405 says more
            raise MalformedRequest(f"{req.method} takes no body.")

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        if not hasattr(req.context, "request_id"):  # Falcon refuses its inner methods before anything else
            self.process_request(req, resp)
        resp.set_header("X-Request-Id", req.context.request_id)
        resp.set_header("X-Content-Type-Options", "nosniff")
        if resp.get_header("Cache-Control") is None:
            resp.set_header("Cache-Control", "no-store")
        self._write_line(req, resp)

    def _write_line(self, req: falcon.Request, resp: falcon.Response) -> None:
        status = falcon.http_status_to_code(resp.status)
        seconds = self._clock.monotonic() - req.context.started
        self._requests.note(req.method, status, seconds)
        level = logging.DEBUG if req.path in _QUIET else logging.INFO
        if not log.isEnabledFor(level):
            return
        key = getattr(req.context, "api_key", None)
        line = AccessLine(
            self._clock,
            level,
            method=req.method,
            path=req.path if _PLAIN_PATH.fullmatch(req.path) else quote(req.path, safe="/:"),
            status=status,
            seconds=seconds,
            request_id=req.context.request_id,
            api_key=key.id if key else None,
        )
        log.handle(line)
