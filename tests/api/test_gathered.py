"""The lines of requests are written together: all of them, in order, soon, and at the end."""

import io
import logging
from functools import partial

import pytest

from rrcli_api.gathered import TOGETHER_SECONDS, Gathered
from tests.support.stack import wait_until


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the root logger's only handler writes."""
    stream = io.StringIO()
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(stream)])
    return stream


def record(text: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelno": logging.INFO})


def test_lines_are_written_in_order_without_being_asked_for(written: io.StringIO) -> None:
    gathered = Gathered()
    lines = [f"line {number}" for number in range(500)]
    for line in lines:
        gathered.handle(record(line))
    wait_until(lambda: len(written.getvalue().splitlines()) == 500, what="the lines")
    assert written.getvalue().splitlines() == lines
    assert TOGETHER_SECONDS <= 0.05


def test_a_line_after_a_pause_is_written_too(written: io.StringIO) -> None:
    gathered = Gathered()
    for number in range(1, 4):
        gathered.handle(record("again"))
        wait_until(partial(_has_lines, written, number), what="the line")


def _has_lines(written: io.StringIO, number: int) -> bool:
    return written.getvalue() == "again\n" * number


def test_what_waits_is_written_when_it_is_flushed_as_at_the_end_of_a_process(written: io.StringIO) -> None:
    gathered = Gathered()
    gathered.handle(record("the last"))
    gathered.flush()
    assert written.getvalue() == "the last\n"
