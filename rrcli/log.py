"""Logging to stderr: coloured text on a terminal, one JSON object a line elsewhere.

A line is a sentence plus stable keys (`action`, `event_id`, `schedule_id`), given as `extra`.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_COLOURS = {"DEBUG": "\x1b[2m", "INFO": "\x1b[36m", "WARNING": "\x1b[33m", "ERROR": "\x1b[31m"}
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]+(?=@)")


def redact(text: str) -> str:
    """The text with user names and passwords in URLs replaced."""
    return _CREDENTIALS.sub("***", text)


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


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, and the extra keys."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            **_extra(record),
        }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)


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
