"""JSON in and out: strict on the way in, compact on the way out.

What other readers of the same text might take differently is refused: duplicate names, NaN, lone surrogates.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import falcon

from rrcli.core.fields import Check, check_mapping
from rrcli.errors import FieldError, InvalidInput, MalformedRequest
from rrcli_api.errors import ApiError

BODY_BYTES = 1024 * 1024
DEPTH = 32
MEMBERS = 200
"""Most names in one object, or items in one list; checks of what comes in cost time for each."""

_EXACT = 2**53
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


def render(resp: falcon.Response, data: Any) -> None:
    """Answer `data` as compact JSON in UTF-8."""
    answer(resp, encode(data))


def answer(resp: falcon.Response, body: bytes) -> None:
    """Answer what `encode` made."""
    resp.data = body
    resp.content_type = falcon.MEDIA_JSON


def encode(data: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return _encode(data).encode()


def read_object(
    req: falcon.Request, *, most_bytes: int = BODY_BYTES, most_members: int = MEMBERS
) -> dict[str, Any]:
    """The request's JSON object. Raises MalformedRequest, and ApiError 413 and 415."""
    body = body_of(req, most_bytes)
    if not body:
        raise MalformedRequest("The body is empty; it must be a JSON object.")
    _require_json(req)
    return parse_object(body, most_members)


def read_fields(
    req: falcon.Request, known: Mapping[str, Check], required: Iterable[str] = ()
) -> dict[str, Any]:
    """The checked fields of the request's object; an absent body is an empty one where nothing is required.

    Raises as `read_object`, and InvalidInput listing every refused field.
    """
    body = body_of(req)
    if body:
        _require_json(req)
    data = parse_object(body or b"{}")
    errors: list[FieldError] = []
    if known:
        values = check_mapping(data, known, errors, required=required)
    else:
        values = {}
        errors += [
            FieldError(field=name, value=None, allowed="is not a field; none is taken") for name in data
        ]
    if errors:
        raise InvalidInput(errors)
    return values


def read_text(req: falcon.Request, kind: str) -> str:
    """The request's text in UTF-8. Raises MalformedRequest, and ApiError 413, and 415 for another type."""
    body = body_of(req)
    if not body:
        raise MalformedRequest(f"The body is empty; it must be of the type {kind}.")
    _require_type(req, kind)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"The body is not UTF-8: byte {error.start} is wrong.") from None


def parse_object(body: bytes, most_members: int = MEMBERS) -> dict[str, Any]:
    """The JSON object in `body`. Raises MalformedRequest saying what is wrong, and where."""
    try:
        data = json.loads(
            body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_number
        )
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"The body is not UTF-8: byte {error.start} is wrong.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedRequest(f"The body is not JSON: {error.msg} at {where}.") from None
    except RecursionError:
        raise MalformedRequest(f"The body is nested deeper than {DEPTH} levels.") from None
    except ValueError:  # an integer of thousands of digits
        raise MalformedRequest("The body holds a number that is too long.") from None
    if not isinstance(data, dict):
        raise MalformedRequest("The body must be a JSON object: {...}.")
    _check_shape(data, most_members, b"\\u" in body)
    return data


def body_of(req: falcon.Request, most_bytes: int = BODY_BYTES) -> bytes:
    """The whole body, which may be asked for several times. Raises MalformedRequest, and ApiError 413."""
    body: bytes | None = getattr(req.context, "body", None)
    if body is None:
        body = req.context.body = _read(req, most_bytes)
    return body


def _read(req: falcon.Request, most_bytes: int) -> bytes:
    """The whole body, with or without Content-Length, never more than the limit, and not compressed."""
    coding = req.get_header("Content-Encoding", default="identity")
    if coding.strip().lower() != "identity":
        said = f"The body must come without Content-Encoding, not {coding.strip()[:100]}."
        raise ApiError(415, "invalid_request", said, Accept_Encoding="identity")
    if (req.content_length or 0) > most_bytes:
        raise _too_large(most_bytes)
    terminated = req.content_length is None and req.env.get("wsgi.input_terminated")
    stream: Any = req.stream if terminated else req.bounded_stream
    try:
        body: bytes = stream.read(most_bytes + 1)
    except Exception as error:  # each server has its own for a sender that breaks off or counts wrongly
        raise MalformedRequest("The body broke off, or is chunked wrongly.") from error
    if len(body) > most_bytes:
        raise _too_large(most_bytes)
    if len(body) < (req.content_length or 0):
        raise MalformedRequest("The body is shorter than Content-Length says.")
    return body


def _too_large(most_bytes: int) -> ApiError:
    mebibytes = most_bytes // 1024**2
    return ApiError(413, "invalid_request", f"The body is larger than {most_bytes} bytes ({mebibytes} MiB).")


def _require_json(req: falcon.Request) -> None:
    """Only application/json: a web page elsewhere cannot make a browser send that without asking first."""
    _require_type(req, "application/json")


def _require_type(req: falcon.Request, kind: str) -> None:
    given, _, parameters = (req.content_type or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if given.strip().lower() != kind or charset not in ("", "charset=utf-8"):
        came = f"not {given.strip()[:100]}" if given.strip() else "which is missing"
        came = f"in UTF-8, not {charset[:100]}" if given.strip().lower() == kind else came
        raise ApiError(415, "invalid_request", f"The body must come with Content-Type: {kind}, {came}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise MalformedRequest(f"The body has {_shown(twice)} twice in one object.")
    return found


def _no_constant(name: str) -> Any:
    raise MalformedRequest(f"The body holds {name}, which is not JSON.")


def _number(text: str) -> int | float:
    """JSON has one kind of number: 3.0 is the whole number 3."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _check_shape(data: Any, most_members: int, escaped: bool) -> None:
    """Refuse what is too deep or too wide, and text that is no Unicode: without escapes it cannot be that."""
    level: list[Any] = [data]
    for _ in range(DEPTH):
        if not level:
            return
        deeper: list[Any] = []
        for each in level:
            if len(each) > most_members:
                raise MalformedRequest(f"The body has an object or list of more than {most_members} members.")
            inner = each
            if isinstance(each, dict):
                inner = each.values()
                if escaped:
                    _require_unicode(each)
            if escaped:
                _require_unicode(inner)
            deeper += [value for value in inner if type(value) in (dict, list)]
        level = deeper
    if level:
        raise MalformedRequest(f"The body is nested deeper than {DEPTH} levels.")


def _require_unicode(values: Iterable[Any]) -> None:
    try:
        for value in values:
            if isinstance(value, str):
                value.encode()
    except UnicodeEncodeError:
        raise MalformedRequest("The body holds half a surrogate pair, which is no character.") from None


def _shown(name: str) -> str:
    return json.dumps(name[:80])
