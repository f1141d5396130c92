"""The log line of a request. Every request pays for one: it is made at a third of what other records cost."""

import logging

from rrcli.clock import Clock
from rrcli.log import Prepared, as_text, redact

_NAME = "rrcli_api.access"
_ACTION = "http_request"
_PLAIN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class AccessLine(Prepared):
    """A record of one request, `path` percent-encoded. Nobody looks up which line of code it comes from."""

    def __init__(
        self,
        clock: Clock,
        level: int,
        *,
        method: str,
        path: str,
        status: int,
        seconds: float,
        request_id: str,
        api_key: str | None,
    ) -> None:
        path, request_id = redact(path), redact(request_id)
        super().__init__(
            name=_NAME,
            levelno=level,
            levelname=logging.getLevelName(level),
            created=clock.now().timestamp(),
            msg=f"{method} {path} answered {status}",
            action=_ACTION,
            method=method,
            path=path,
            status=status,
            ms=round(seconds * 1000, 1),
            request_id=request_id,
            **({"api_key": api_key} if api_key else {}),
        )

    def as_json(self, time: str) -> str:
        """Only a method can hold what JSON escapes: the rest is percent-encoded, or checked, or a number."""
        line = vars(self)
        method, message = f'"{line["method"]}"', f'"{self.msg}"'
        if line["method"] not in _PLAIN_METHODS:
            method, message = as_text(line["method"]), as_text(self.msg)
        key = f', "api_key": "{line["api_key"]}"' if "api_key" in line else ""
        return (
            f'{{"time": "{time}", "level": "{self.levelname.lower()}", "logger": "{_NAME}", '
            f'"message": {message}, "action": "{_ACTION}", "method": {method}, "path": "{line["path"]}", '
            f'"status": {line["status"]}, "ms": {line["ms"]}, "request_id": "{line["request_id"]}"{key}}}'
        )
