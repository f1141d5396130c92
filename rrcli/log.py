"""Logging to stderr: coloured text on a terminal, one JSON object a line elsewhere.

A line is a sentence plus stable keys (`action`, `event_id`, `schedule_id`), given as `extra`.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_EMPTY = vars(logging.makeLogRecord({"process": None, "thread": None}))
_COLOURS = {"DEBUG": "\x1b[2m", "INFO": "\x1b[36m", "WARNING": "\x1b[33m", "ERROR": "\x1b[31m"}

_encode = json.JSONEncoder(default=str, ensure_ascii=False).encode
as_text = json.JSONEncoder(ensure_ascii=False).encode
"""A text as it stands in a line of JSON."""

MARK = "***"
"""What stands for a part of a text that is not shown."""

# With a password: up to the last @ of the word, for one that was not encoded may hold @ and /.
# What looks like a port is no password.
_PASSWORD = re.compile(r"(?<=//)(?!\[)[^/?#\s@:]*:(?!\d{1,5}(?:[/?#,\s]|$))[^\s\"'<>]{0,4096}@")
_USER = re.compile(r"(?<=//)[^/?#\s]{1,4096}@")
_NAMES = (
    r"(?:[\w.-]{0,60}(?:token|secret|passw(?:or)?d|passwd|pwd|passphrase|signature|credentials?|api[-_]?key)"
    r"[\w.-]{0,20}|(?:access|account|auth|private|shared|subscription)?[-_]?key|sig|auth|authorization)"
)
_PARAMETER = re.compile(rf"(?<=[?&;])({_NAMES})=[^&;#\s\"'<>]+", re.IGNORECASE)
# Keys of our own service, signing secrets, and what follows Bearer or Basic.
_KEY = re.compile(r"\b(rrk_[0-9a-f]{12}_|whsec_)[A-Za-z0-9+/=_-]+")
_HEADER = re.compile(r"\b(Bearer|Basic) (?!realm=)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_MASKED = re.compile(rf"://\*\*\*@|[?&;]{_NAMES}=\*\*\*(?=[&;#]|$)", re.IGNORECASE)


def redact(text: str) -> str:
    """The text without credentials: those of URLs, keys by their form, and parameters by their names."""
    if "@" in text and "//" in text:
        text = _USER.sub(f"{MARK}@", _PASSWORD.sub(f"{MARK}@", text))
    if "=" in text:
        text = _PARAMETER.sub(rf"\1={MARK}", text)
    # Looking for a word costs a twentieth of looking for a pattern, and most lines hold none of these.
    if "rrk_" in text or "whsec_" in text:
        text = _KEY.sub(rf"\1{MARK}", text)
    if " " in text:
        text = _HEADER.sub(rf"\1 {MARK}", text)
    return text


def masked(value: object) -> str:
    """A secret value as a whole: a URL keeps scheme, host and path; anything else keeps nothing."""
    text = str(value)
    if not re.match(r"[a-z+]+://", text):
        return MARK
    return re.sub(r"\?.*", f"?{MARK}", redact(text), flags=re.DOTALL)


def is_masked(url: str) -> bool:
    """Whether a credential of the URL is nothing but MARK: it was read somewhere and is not known here."""
    return _MASKED.search(url) is not None


def setup(level: str, form: str = "auto") -> None:
    """Configure the root logger. `form` is json, text or auto."""
    handler = logging.StreamHandler(sys.stderr)
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler.setFormatter(TextFormatter(colour=sys.stderr.isatty()) if text else JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("pymongo", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {
        name: redact(value) if isinstance(value, str) else value
        for name, value in vars(record).items()
        if name not in _OWN
    }


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class Prepared(logging.LogRecord):
    """A record that writes its own JSON, for lines of which there are thousands a second.

    Of what other records have, what no formatter of this product shows is empty: to look it up costs most.
    """

    def __init__(self, **members: object) -> None:
        vars(self).update(_EMPTY, **members)

    def as_json(self, time: str) -> str:
        """The whole line, without credentials; `time` is when it happened."""
        raise NotImplementedError


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, and the extra keys."""

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record, Prepared):
            return record.as_json(_time(record))
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            **_extra(record),
        }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return _encode(line)


class TextFormatter(logging.Formatter):
    """`12:00:00.123Z INFO sentence key=value`, for people."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{name}={value}" for name, value in _extra(record).items())
        level = f"{record.levelname:<7}"
        if self._colour:
            level = f"{_COLOURS.get(record.levelname, '')}{level}\x1b[0m"
            extra = f"\x1b[2m{extra}\x1b[0m" if extra else ""
        line = f"{_time(record)[11:]} {level} {redact(record.getMessage())} {extra}".rstrip()
        return f"{line}\n{redact(self.formatException(record.exc_info))}" if record.exc_info else line
