"""What a schedule's fields may hold, as they come from REST, CLI and files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from rrcli.core.fields import (
    Boolean,
    Check,
    Choice,
    Integer,
    ListOf,
    Nested,
    Number,
    Optional,
    Text,
    check_mapping,
    nameable,
    refuse,
)
from rrcli.core.models import MisfirePolicy, Overlap
from rrcli.core.request import secret_key
from rrcli.errors import FieldError, InvalidInput

MASK = "********"
"""What stands for a value that is not shown; sent back, it keeps the stored value."""

BODY_LIMIT = 256 * 1024
HEADERS_LIMIT = 16 * 1024

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\u0080-\U0010ffff]*")
# What moves a terminal's cursor or breaks a line has no place in a table.
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_NAME = rf"(?!\s)[^{_CONTROL}]+(?<!\s)"
_TAG = rf"[^\s,{_CONTROL}]+"
# RFC 3986, 2 and 3: a URI has no " < > \ ^ ` { | }, and percent signs only before two hexadecimal digits.
# Brackets stand around an IPv6 address; in a query they are taken too, because so many programs send them.
_ESCAPED = r"%[0-9A-Fa-f]{2}"
_PLAIN = rf"(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|{_ESCAPED})"
_URI = re.compile(
    rf"https?://(?:{_PLAIN}*@)?(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|{_ESCAPED})+)(?::[0-9]*)?"
    rf"(?:/(?:{_PLAIN}|[@/])*)?(?:\?(?:{_PLAIN}|[@/?\[\]])*)?(?:#(?:{_PLAIN}|[@/?\[\]])*)?",
    re.IGNORECASE,
)
_FRAMING = frozenset(
    {"content-length", "transfer-encoding", "connection", "expect", "upgrade", "trailer", "te"}
)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Url:
    """A callback target: absolute, http or https, of the characters that a URI has (RFC 3986)."""

    allowed: str = (
        "an absolute http:// or https:// URL of at most 2048 characters, with everything but "
        "letters, digits and -._~:/?#[]@!$&'()*+,;= percent-encoded"
    )

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        if not isinstance(value, str) or len(value) > 2048 or not _URI.fullmatch(value):
            refuse(errors, path, value, self.allowed)
            return value
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            refuse(errors, path, value, self.allowed)
        return value

    def parse(self, text: str) -> object:
        return text


@dataclass(frozen=True, slots=True)
class Headers:
    """Header names and values that can be sent as they are; a line break would smuggle in another header."""

    maximum: int = 50
    allowed: str = "a mapping of at most 50 header names to text values, 16 KiB in all"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        if (
            not isinstance(value, Mapping)
            or len(value) > self.maximum
            or sum(len(each) for item in value.items() for each in item if isinstance(each, str))
            > HEADERS_LIMIT
        ):
            refuse(errors, path, MASK, self.allowed)
            return {}
        seen: set[str] = set()
        for name, content in value.items():
            self._check_one(name, content, path, seen, errors)
        return dict(value)

    def _check_one(
        self, name: object, content: object, path: str, seen: set[str], errors: list[FieldError]
    ) -> None:
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            allowed = "a header name: letters, digits and !#$%&'*+.^_`|~-"
            refuse(errors, f"{path}.{nameable(name)}", name, allowed)
        elif name.lower() in _FRAMING:
            refuse(
                errors,
                f"{path}.{nameable(name)}",
                name,
                "left out: this header belongs to the connection, not to the request",
            )
        elif name.lower() in seen:
            refuse(errors, f"{path}.{nameable(name)}", name, "given once; header names ignore case")
        elif not isinstance(content, str) or not _HEADER_VALUE.fullmatch(content) or not _is_unicode(content):
            allowed = "text without line breaks or control characters"
            refuse(errors, f"{path}.{nameable(name)}", MASK, allowed)
        seen.add(str(name).lower())

    def parse(self, text: str) -> object:
        return text


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret of the Standard Webhooks form."""

    allowed: str = "whsec_ and 24 to 64 bytes in base64"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        try:
            usable = isinstance(value, str) and (value == MASK or 24 <= len(secret_key(value)) <= 64)
        except ValueError:
            usable = False
        if not usable:
            refuse(errors, path, MASK, self.allowed)
        return value

    def parse(self, text: str) -> object:
        return text


CALENDAR_NAME = Text(
    64,
    form=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    form_name="letters, digits, . _ and -, beginning with a letter or digit",
)

_RETRY: Mapping[str, Check] = {
    "base_seconds": Number(0, 86_400),
    "factor": Number(1, 100),
    "cap_seconds": Number(0, 86_400),
}
_MISFIRE: Mapping[str, Check] = {
    "policy": Choice(tuple(MisfirePolicy)),
    "grace_seconds": Number(0, 86_400),
    "window_seconds": Number(0, 31_622_400),
}

SCHEDULE_FIELDS: Mapping[str, Check] = {
    "name": Text(200, form=_NAME, form_name="a name without control characters or blanks at its ends"),
    "rrule": Text(1_000_000),
    "timezone": Optional(Text(64)),
    "callback_url": Url(),
    "method": Optional(Choice(_METHODS)),
    "headers": Optional(Headers()),
    "body": Optional(Text(BODY_LIMIT, minimum=0)),
    "timeout_seconds": Number(0.1, 3600),
    "max_retries": Optional(Integer(0, 100)),
    "retry": Nested(_RETRY, dict),
    "follow_redirects": Boolean(),
    "misfire": Nested(_MISFIRE, dict),
    "overlap": Choice(tuple(Overlap)),
    "jitter_seconds": Number(0, 86_400),
    "tags": ListOf(Text(64, form=_TAG, form_name="a word without blanks or commas"), 20),
    "secrets": ListOf(Secret(), 10),
    "auto_pause_after": Integer(0, 100),
    "exclude_calendars": ListOf(CALENDAR_NAME, 10),
}
"""Every field a person may set, with its check."""

REQUIRED = ("name", "rrule", "callback_url")
READ_ONLY = ("id", "skips", "state", "state_reason", "revision", "next_run", "created_at", "updated_at")


def check_schedule(data: Mapping[str, object], *, partial: bool) -> dict[str, object]:
    """The checked fields of a new schedule, or (`partial`) of a change to one.

    Raises InvalidInput listing every refused field.
    """
    errors = [
        FieldError(field=name, value=data[name], allowed="is read-only; leave it out")
        for name in READ_ONLY
        if name in data
    ]
    rest = {name: value for name, value in data.items() if name not in READ_ONLY}
    values = check_mapping(rest, SCHEDULE_FIELDS, errors, required=() if partial else REQUIRED)
    if errors:
        raise InvalidInput(errors)
    return values
