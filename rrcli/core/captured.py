"""A captured request: an HTTP message as it went over the wire, or JSON of its headers and body."""

import json
import re
from collections.abc import Mapping

from rrcli.errors import FieldError, InvalidInput


def read_captured(data: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body.

    JSON is `{"headers": {name: value}, "body": text}`. An HTTP message may lack its first line; its body ends
    where Content-Length says, else at the end. Raises InvalidInput.
    """
    if data.lstrip()[:1] == b"{":
        return _from_json(data)
    end = re.search(rb"\r?\n\r?\n", data)
    lines, body = (data[: end.start()], data[end.end() :]) if end else (data, b"")
    headers: dict[str, str] = {}
    for number, line in enumerate(lines.decode("latin-1").splitlines()):
        name, colon, value = line.partition(":")
        if colon and " " not in name.strip():
            headers[name.strip()] = value.strip()
        elif number:
            raise _wrong("must have a header `name: value` on each line up to the first empty one", line)
    length = next((value for name, value in headers.items() if name.lower() == "content-length"), "")
    return headers, body[: int(length)] if length.isdecimal() else body


def _from_json(data: bytes) -> tuple[dict[str, str], bytes]:
    try:
        found = json.loads(data)
        headers, body = found["headers"], found.get("body")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _wrong('must be JSON such as {"headers": {...}, "body": "..."}', str(error)) from error
    if isinstance(headers, list):
        headers = {each[0]: each[1] for each in headers if isinstance(each, list) and len(each) == 2}
    if not isinstance(headers, Mapping) or not isinstance(body, str | None):
        raise _wrong("must have a mapping of headers, and a body that is text or null", found)
    return {str(name): str(value) for name, value in headers.items()}, (body or "").encode()


def _wrong(allowed: str, value: object) -> InvalidInput:
    return InvalidInput([FieldError(field="request", value=value, allowed=allowed)])
