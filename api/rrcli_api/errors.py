"""Every failure as `{"error": {"code", "message", "details"?}}`."""

import json
import logging
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import falcon

from rrcli.core.fields import Nested
from rrcli.core.inputs import READ_ONLY, SCHEDULE_FIELDS
from rrcli.errors import FieldError, InvalidInput, SchedulerError
from rrcli.log import redact
from rrcli_api.pages import html
from rrcli_api.pages.paths import is_page

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
_STATUS = {
    "invalid_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "validation_failed": 422,
    "database_error": 503,
}
_SECRET = frozenset({"headers", "secrets", "body"})
_PARAMETERS = frozenset(
    {"limit", "page", "tag", "after", "before", "from", "to", "at", "rate", "only", "reason", "reveal"}
)
_INDEX = re.compile(r"\[[0-9]+\]")
_LONGEST_VALUE = 200
_ITEMS = "schedules."
"""What stands before the fields of a batch's items."""

_SENTENCES = 3


class ApiError(SchedulerError):
    """An answer that only HTTP has: a status of its own beside the code, and the fields at fault, if any."""

    def __init__(
        self, status: int, code: str, message: str, *, details: Sequence[FieldError] = (), **headers: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.api_code = code
        self.details = tuple(details)
        self.headers = headers


def install(app: falcon.App[Any, Any]) -> None:
    """Answer every exception of `app` in the one shape."""
    app.add_error_handler(Exception, _unexpected)
    app.add_error_handler(falcon.HTTPError, _from_falcon)
    app.add_error_handler(SchedulerError, _deliberate)
    app.add_error_handler(InvalidInput, _refused_fields)
    app.add_error_handler(ApiError, _own)


def bad_parameters(errors: Sequence[FieldError]) -> ApiError:
    """The query of a request was refused."""
    return ApiError(400, "invalid_request", _sentence(errors), details=errors)


def _own(req: falcon.Request, resp: falcon.Response, error: ApiError, params: dict[str, Any]) -> None:
    for name, value in error.headers.items():
        resp.set_header(name.replace("_", "-"), value)
    _answer(req, resp, error.status, error.api_code, error.message, error.details)


def _refused_fields(
    req: falcon.Request, resp: falcon.Response, error: InvalidInput, params: dict[str, Any]
) -> None:
    _answer(req, resp, 422, error.code, _with_hint(_sentence(error.fields), error.hint), error.fields)


def _deliberate(
    req: falcon.Request, resp: falcon.Response, error: SchedulerError, params: dict[str, Any]
) -> None:
    status = _STATUS.get(error.code)
    if status is None:
        _unexpected(req, resp, error, params)
        return
    if status == 503:
        log.error(error.message, extra={"action": "store_failed", **_request(req)}, exc_info=error.__cause__)
        resp.set_header("Retry-After", str(RETRY_AFTER_SECONDS))
    _answer(req, resp, status, error.code, redact(_with_hint(error.message, error.hint)))


def _from_falcon(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: dict[str, Any]
) -> None:
    status = falcon.http_status_to_code(error.status)
    if error.headers is not None:
        resp.set_headers(error.headers)
    if status == 404:
        _answer(req, resp, 404, "not_found", f"There is nothing at {req.path[:_LONGEST_VALUE]}.")
    elif status == 405:
        allowed = resp.get_header("Allow")
        _answer(
            req, resp, 405, "invalid_request", f"{req.method[:20]} is not possible here; allowed: {allowed}."
        )
    else:
        _answer(req, resp, status, "invalid_request", error.description or error.title or "Bad request.")


def _unexpected(req: falcon.Request, resp: falcon.Response, error: Exception, params: dict[str, Any]) -> None:
    log.error(
        "A request failed for a reason that nobody foresaw",
        extra={"action": "request_failed", **_request(req)},
        exc_info=error,
    )
    request_id = _request(req)["request_id"]
    _answer(
        req, resp, 500, "internal_error", f"Something went wrong here; the log has it under {request_id}."
    )


def _request(req: falcon.Request) -> dict[str, str]:
    return {"request_id": getattr(req.context, "request_id", ""), "method": req.method}


def _answer(
    req: falcon.Request,
    resp: falcon.Response,
    status: int,
    code: str,
    message: str,
    details: Sequence[FieldError] = (),
) -> None:
    if is_page(req.path) or _is_a_browser(req):
        html.show_error(resp, status, message)
        return
    body: dict[str, Any] = {"code": code, "message": message}
    if details:
        body["details"] = [_detail(error) for error in details]
    text = json.dumps({"error": body}, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    resp.status = falcon.code_to_http_status(status)
    resp.data = text.encode("utf-8", "replace")
    resp.content_type = falcon.MEDIA_JSON


def _is_a_browser(req: falcon.Request) -> bool:
    """Whether a person typed the address: programs do not ask for HTML, and the API speaks JSON to all."""
    return "text/html" in req.accept and not req.path.startswith("/api/")


def _with_hint(message: str, hint: str | None) -> str:
    """The sentence and the hint; hints that name a command are for the command line."""
    if hint is None or "rrcli " in hint:
        return message
    return f"{message if message.endswith(('.', '!', '?')) else f'{message}.'} {hint}"


def _sentence(errors: Sequence[FieldError]) -> str:
    """The first few refused fields, without their values: those may be secret."""
    said = "; ".join(f"{error.field[:_LONGEST_VALUE]} {error.allowed}" for error in errors[:_SENTENCES])
    more = len(errors) - _SENTENCES
    return f"{said}; and {more} more." if more > 0 else f"{said}."


def _detail(error: FieldError) -> dict[str, Any]:
    detail: dict[str, Any] = {"field": error.field[:_LONGEST_VALUE]}
    name = _INDEX.sub("", error.field).removeprefix(_ITEMS)
    if isinstance(error.value, str | int | float) and name in _showable():
        detail["value"] = _shown(error.value)
    return detail | {"allowed": error.allowed}


@cache
def _showable() -> frozenset[str]:
    """Fields whose refused value is repeated; an unknown one may be a secret under a mistyped name."""
    known = {name: check for name, check in SCHEDULE_FIELDS.items() if name not in _SECRET}
    nested = {
        f"{name}.{inner}"
        for name, check in known.items()
        if isinstance(check, Nested)
        for inner in check.fields
    }
    return frozenset(known) | nested | frozenset(READ_ONLY) | _PARAMETERS


def _shown(value: str | int | float) -> str | int | float:
    """The value that came, short, printable as JSON, and without credentials."""
    if isinstance(value, str):
        text = redact(value)
        return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
    return value if _plain(value) else "a number out of all bounds"


def _plain(value: int | float) -> bool:
    return -(2**53) < value < 2**53  # false for infinities too
