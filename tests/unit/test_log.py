"""Log lines: a sentence and stable keys, without credentials."""

import json
import logging
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.log import JsonFormatter, TextFormatter, masked, redact, setup


@pytest.fixture
def _root() -> Iterator[None]:
    """The root logger as it was before the test."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def record(message: str = "Queued %d events", *args: object, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "rrcli.test", "msg": message, "args": args or (3,), "levelno": 20, "levelname": "INFO"}
    )
    made.created = 1_772_366_400.25
    vars(made).update(extra)
    return made


def failed(message: str) -> logging.LogRecord:
    made = record("It failed%s", "")
    try:
        raise ValueError(message)
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mongodb://admin:hunter2@db:27017/x", "mongodb://***@db:27017/x"),
        ("redis://:hunter2@queue", "redis://***@queue"),
        ("redis://:hun@ter2@queue", "redis://***@queue"),
        ("https://token@a.example/b and http://u:p@c", "https://***@a.example/b and http://***@c"),
        ("https://a.example/path?mail=me@b.example", "https://a.example/path?mail=me@b.example"),
        ("me@example.com", "me@example.com"),
        ("https://u:hun/t@er2@db/x", "https://***@db/x"),
        ("https://u:12345@a.example/b", "https://***@a.example/b"),
        ("https://a.example:8080/u@x", "https://a.example:8080/u@x"),
        ("http://[::1]:80/u@x", "http://[::1]:80/u@x"),
        ("h1:27017,u:p@h2", "h1:27017,u:p@h2"),
        ("mongodb://h1:27017,h2:27017/x@y", "mongodb://h1:27017,h2:27017/x@y"),
        ("https://a/?a=1&token=t%20x&b=2#f", "https://a/?a=1&token=***&b=2#f"),
        ("https://a/?API_KEY=x;sig=y", "https://a/?API_KEY=***;sig=***"),
        (
            "https://a/?X-Amz-Signature=abc&x-amz-security-token=d",
            "https://a/?X-Amz-Signature=***&x-amz-security-token=***",
        ),
        ("https://a/?password=p", "https://a/?password=***"),
        (
            "https://a/?client_secret=p&key=k&keyword=w&monkey=m",
            "https://a/?client_secret=***&key=***&keyword=w&monkey=m",
        ),
        ("Authorization: Bearer abcdefgh.ij", "Authorization: Bearer ***"),
        ("rrk_0123456789ab_aB-_9 and whsec_abc+/=", "rrk_0123456789ab_*** and whsec_***"),
        ("no address at all", "no address at all"),
    ],
)
def test_credentials_in_urls_are_replaced(text: str, expected: str):
    assert redact(text) == expected


@given(st.text("abc:@%!", min_size=1).filter(lambda text: text.strip("@")))
def test_no_part_of_a_password_survives(password: str):
    assert redact(f"mongodb://user:{password}@host/db") == "mongodb://***@host/db"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("mongodb://u:p@h/x?authSource=y", "mongodb://***@h/x?***"),
        ("redis://h/0", "redis://h/0"),
        ("plain secret", "***"),
    ],
)
def test_a_secret_setting_shows_where_it_leads_and_nothing_else(value: str, expected: str):
    assert masked(value) == expected


@pytest.mark.parametrize(
    "text", ["://" * 30_000, "://a:" + "b" * 100_000, "&token" * 20_000, "://a:@" * 9_000]
)
def test_hostile_text_costs_no_time(text: str):
    started = time.perf_counter()
    redact(text)
    assert time.perf_counter() - started < 2


def test_a_json_line_has_time_level_logger_message_and_the_keys():
    line = JsonFormatter().format(record(action="prequeued", schedule_id="abc"))
    assert json.loads(line) == {
        "time": "2026-03-01T12:00:00.250Z",
        "level": "info",
        "logger": "rrcli.test",
        "message": "Queued 3 events",
        "action": "prequeued",
        "schedule_id": "abc",
    }


def test_a_json_line_is_one_line_whatever_the_message():
    line = JsonFormatter().format(record("a\nb\u2028%s", "\x1b[31m"))
    assert len(line.split("\n")) == 1
    assert json.loads(line)["message"] == "a\nb\u2028\x1b[31m"


def test_values_that_json_has_not_are_written_as_text():
    line = JsonFormatter().format(record(path=ValueError("x")))
    assert json.loads(line)["path"] == "x"


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter(colour=False)])
def test_message_keys_and_exception_are_redacted(formatter: logging.Formatter):
    made = failed("mongodb://u:hunter2@db")
    made.msg, made.args = "Lost %s", ("redis://u:hunter2@queue",)
    made.url = "https://u:hunter2@example.com"
    line = formatter.format(made)
    assert "hunter2" not in line
    for shown in ("redis://***@queue", "mongodb://***@db", "https://***@example.com", "ValueError"):
        assert shown in line


def test_a_text_line_is_for_people():
    line = TextFormatter(colour=False).format(record(action="prequeued"))
    assert line == "12:00:00.250Z INFO    Queued 3 events action=prequeued"


def test_a_text_line_without_keys_has_no_trailing_blank():
    assert TextFormatter(colour=False).format(record()) == "12:00:00.250Z INFO    Queued 3 events"


def test_colour_marks_the_level():
    line = TextFormatter(colour=True).format(record(action="prequeued"))
    assert line == ("12:00:00.250Z \x1b[36mINFO   \x1b[0m Queued 3 events \x1b[2maction=prequeued\x1b[0m")


def test_a_text_line_is_followed_by_the_traceback():
    first, *rest = TextFormatter(colour=False).format(failed("x")).splitlines()
    assert first.endswith("It failed")
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1] == "ValueError: x"


@pytest.mark.usefixtures("_root")
@pytest.mark.parametrize(
    ("level", "expected"),
    [("debug", 10), ("info", 20), ("warn", 30), ("warning", 30), ("error", 40)],
)
def test_setup_takes_every_level_of_the_settings(level: str, expected: int):
    setup(level)
    assert logging.getLogger().level == expected


@pytest.mark.usefixtures("_root")
@pytest.mark.parametrize(
    ("form", "formatter"), [("json", JsonFormatter), ("text", TextFormatter), ("auto", JsonFormatter)]
)
def test_without_a_terminal_auto_means_json(form: str, formatter: type, capsys: pytest.CaptureFixture[str]):
    setup("info", form)
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler.formatter, formatter)
    logging.getLogger("rrcli").info("Started", extra={"action": "started"})
    out, err = capsys.readouterr()
    assert not out
    assert "Started" in err
    assert "\x1b" not in err


@pytest.mark.usefixtures("_root")
def test_libraries_that_talk_are_quiet_below_warning():
    setup("debug")
    assert not logging.getLogger("pymongo").isEnabledFor(logging.INFO)
    assert logging.getLogger("rrcli").isEnabledFor(logging.DEBUG)
