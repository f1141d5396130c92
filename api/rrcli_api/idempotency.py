"""Idempotency-Key: a POST that is sent again, because its answer was lost, is not made again."""

import re
from hashlib import sha256
from typing import Any

import falcon

from rrcli.core.idempotency import Answer, KeyUse, first_use
from rrcli.errors import FieldError, SchedulerError
from rrcli.operations.context import Context
from rrcli_api.errors import ApiError
from rrcli_api.media import BODY_BYTES, body_of

HEADER = "Idempotency-Key"
_ENVIRON = "HTTP_IDEMPOTENCY_KEY"
REPLAYED = "Idempotent-Replayed"
_FORM = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("ETag", "Location", "Content-Type")
_AGAIN_SECONDS = "1"


class Idempotency:
    """Around every POST that comes with a key: its first answer is kept, and given again.

    Kept is what has had an effect: answers of 2xx. What was refused did nothing, and its key may be used
    again; what failed half-way (5xx) may be sent again under the same key, and goes on with the same ids.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: dict[str, Any]
    ) -> None:
        req.context.key_use = None
        given = req.env.get(_ENVIRON)
        if given is None or req.method != "POST" or getattr(resource, "only_reads", False):
            return
        if not _FORM.fullmatch(given):
            raise ApiError(
                400, "invalid_request", f"{HEADER} must be 1 to 255 visible ASCII characters, such as a UUID."
            )
        now = self._context.now()
        key = req.context.api_key
        asked = first_use(key.id if key else "", given, _fingerprint(req, resource), now)
        use, is_ours = self._context.repository.idempotency_keys.begin(asked, now)
        if not is_ours:
            _give_again(resp, asked, use)
        elif use.attempt > 1 and not getattr(resource, "repeats_safely", True):
            raise ApiError(
                409,
                "conflict",
                f"An earlier try under this {HEADER} broke off, and may have been made. "
                "Look at the schedule, then use another key.",
            )
        else:
            req.context.key_use = use

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        use: KeyUse | None = getattr(req.context, "key_use", None)
        if use is None:
            return
        status = falcon.http_status_to_code(resp.status)
        keys = self._context.repository.idempotency_keys
        try:
            if status < 300:
                keys.finish(use, _answer(resp, status), self._context.now())
            elif status < 500:
                keys.forget(use)
            else:
                keys.release(use)
        except SchedulerError:
            # What was done stays done, and the key is held for a while: a repetition finds what was made.
            return


def _fingerprint(req: falcon.Request, resource: object) -> str:
    """Of all that makes it this request and no other."""
    body = body_of(req, getattr(resource, "most_bytes", BODY_BYTES))
    head = f"{req.method} {req.relative_uri}\n{req.get_header('If-Match') or ''}\n"
    return sha256(head.encode() + body).hexdigest()


def _give_again(resp: falcon.Response, asked: KeyUse, stored: KeyUse) -> None:
    """The stored answer. Raises ApiError when there is none yet, or when it is another request's."""
    if stored.fingerprint != asked.fingerprint:
        allowed = "was used for another request in the last 24 hours; a new request needs a new key"
        error = FieldError(field=HEADER, value=None, allowed=allowed)
        raise ApiError(422, "validation_failed", f"This {HEADER} {allowed}.", details=[error])
    if stored.answer is None:
        raise ApiError(
            409,
            "conflict",
            f"A request under this {HEADER} is under way; ask again for its answer.",
            Retry_After=_AGAIN_SECONDS,
        )
    resp.status = falcon.code_to_http_status(stored.answer.status)
    for name, value in stored.answer.headers.items():
        resp.set_header(name, value)
    resp.set_header(REPLAYED, "true")
    resp.data = stored.answer.body.encode()
    resp.complete = True


def _answer(resp: falcon.Response, status: int) -> Answer:
    headers = {name: value for name in _KEPT_HEADERS if (value := resp.get_header(name))}
    return Answer(status=status, headers=headers, body=(resp.data or b"").decode())
