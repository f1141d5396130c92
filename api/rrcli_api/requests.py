"""What a request says outside its body: ids in the path, the query, If-Match."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote_to_bytes

import falcon

from rrcli.core.fields import Check, Integer, did_you_mean
from rrcli.core.ids import is_id
from rrcli.core.timefmt import parse_instant
from rrcli.errors import FieldError, InvalidInput, MalformedRequest
from rrcli.operations import lists
from rrcli_api.errors import ApiError, bad_parameters

PAGE_LIMIT = 1000
PAGES = 10_000
DEFAULT_LIMIT = 50


class Cursor:
    """A query parameter that says where in a list to go on; empty for its beginning."""

    allowed = "a cursor as `next` gives it, or empty for the first part"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        try:
            lists.place_of(str(value))
        except InvalidInput as error:
            errors.extend(error.fields)
        return value

    def parse(self, text: str) -> object:
        return text


PAGING: Mapping[str, Check] = {
    "limit": Integer(1, PAGE_LIMIT),
    "page": Integer(1, PAGES),
    "after": Cursor(),
}
"""A list is read by pages from 1 on, or in parts: `after` is empty, then the `next` of the part before."""

_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TAG = r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"'  # RFC 9110, 8.8.3
_TAGS = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")
_REVISION = re.compile(r"([1-9][0-9]{0,17})(?:\.[0-9a-f]{8})?")
_SPACE_OFFSET = re.compile(r"(T[0-9:.]+) (\d\d:?\d\d)")


def require_id(text: str, what: str) -> str:
    """The id, if it has the form of one. Raises MalformedRequest."""
    if not is_id(text):
        raise MalformedRequest(f"The id of {what} has 24 hexadecimal digits, lower case.")
    return text


def query(req: falcon.Request, known: Mapping[str, Check], *, of_form: bool = False) -> dict[str, Any]:
    """The checked parameters that were given; all that are wrong are listed in one ApiError 400.

    `of_form`: a browser sends the fields that were left empty, too; they count as not given.
    """
    if not req.query_string:
        return {}
    _require_decodable(req.query_string)
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    for name, text in req.params.items():
        if of_form and text == "":
            continue
        check = known.get(name)
        if check is None:
            errors.append(FieldError(field=name, value=text, allowed=_unknown(name, known)))
        elif isinstance(text, list):
            errors.append(FieldError(field=name, value=", ".join(text), allowed="must be given once"))
        else:
            values[name] = check(check.parse(text), name, errors)
    if errors:
        raise bad_parameters(errors)
    return values


def by_cursor(values: Mapping[str, Any], *filters: str) -> bool:
    """Whether the list is to be read in parts: then it has no pages. `filters` are what only parts have."""
    given = [name for name in ("after", *filters) if name in values]
    if given and "page" in values:
        allowed = f"is not possible with {given[0]}: go on with after and what `next` says"
        raise bad_parameters([FieldError(field="page", value=values["page"], allowed=allowed)])
    return bool(given)


def part_of(values: Mapping[str, Any]) -> tuple[str, int]:
    """Cursor and limit of a list that is read in parts."""
    return values.get("after", ""), values.get("limit", DEFAULT_LIMIT)


def paging(values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Page (from 1), limit, and the offset that they mean."""
    page, limit = values.get("page", 1), values.get("limit", DEFAULT_LIMIT)
    return page, limit, (page - 1) * limit


class Instant:
    """A query parameter that is a time; a + that a URL turned into a blank is put back."""

    allowed = "a time with its offset, such as 2025-01-05T12:00:00Z"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        try:
            return parse_instant(_SPACE_OFFSET.sub(r"\1+\2", str(value)), field=path)
        except InvalidInput as error:
            errors.extend(error.fields)
            return None

    def parse(self, text: str) -> object:
        return text


def expected_revisions(req: falcon.Request) -> frozenset[int] | None:
    """The revisions that If-Match allows; None when it allows any (absent, or `*`).

    Raises MalformedRequest for weak tags: If-Match compares strongly, so a weak one could never match.
    """
    header = req.get_header("If-Match")
    if header is None or header.strip() == "*":
        return None
    if not _TAGS.fullmatch(header.strip()):
        raise MalformedRequest('If-Match must be * or a list of tags as ETag gives them, such as "3".')
    found: list[tuple[str, str]] = re.findall(_TAG, header)
    if any(weak for weak, _ in found):
        raise MalformedRequest("If-Match needs strong tags, without W/.")
    revisions = (_REVISION.fullmatch(value) for _, value in found)
    return frozenset(int(revision[1]) for revision in revisions if revision)


def stale(schedule_id: str, revision: int) -> ApiError:
    """If-Match does not name the stored revision: RFC 9110, 13.1.1 asks for 412."""
    message = f"Schedule {schedule_id} is at revision {revision}, which If-Match does not name."
    return ApiError(412, "conflict", message, ETag=etag(revision))


def etag(revision: int) -> str:
    """The tag of one revision of a schedule."""
    return f'"{revision}"'


def content_etag(revision: int, content: bytes) -> str:
    """The tag of what is shown of a revision: the next occurrence moves on while the revision stays."""
    return f'"{revision}.{blake2b(content, digest_size=4).hexdigest()}"'


def is_known(req: falcon.Request, tag: str) -> bool:
    """Whether If-None-Match names the tag: then the client has the answer already."""
    if "HTTP_IF_NONE_MATCH" not in req.env:
        return False
    return any(each in ("*", falcon.ETag.loads(tag)) for each in req.if_none_match or ())


def _require_decodable(text: str) -> None:
    try:
        unquote_to_bytes(text).decode()
        usable = not _BROKEN_PERCENT.search(text)
    except UnicodeDecodeError:
        usable = False
    if not usable:
        raise MalformedRequest("The query is not percent-encoded UTF-8.")


def _unknown(name: str, known: Mapping[str, Check]) -> str:
    near = did_you_mean(name[:40], known)
    if near:
        return f"is not a parameter here; {near} is"
    return "is not a parameter here; " + (f"there are {', '.join(known)}" if known else "there are none")
