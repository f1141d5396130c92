"""The lines of requests are written together: all of them, in order, soon, and at the end."""

import errno
import io
import logging
from functools import partial

import pytest

from rrcli_api import gathered as gathering
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


class FullDisk(io.StringIO):
    """A log that takes nothing until there is room."""

    refused = 0
    has_room = False

    def write(self, text: str) -> int:
        if self.has_room or not text:
            return super().write(text)
        self.refused += 1
        raise OSError(errno.ENOSPC, "No space left on device")


def test_lines_go_on_after_one_could_not_be_written_and_what_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = FullDisk()
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(disk)])
    gathered = Gathered()
    gathered.handle(record("lost"))
    wait_until(lambda: disk.refused == 1, what="the write that fails")
    disk.has_room = True
    gathered.handle(record("after it"))
    wait_until(lambda: disk.getvalue().count("\n") == 2, seconds=5, what="the next line")
    line, told = disk.getvalue().splitlines()
    assert line == "after it"
    assert told.startswith("Lines of requests are missing, up to 1:")


def test_while_the_log_is_blocked_a_bounded_number_of_lines_waits(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST_WAITING", 3)
    gathered = Gathered()
    lock = logging.getLogger().handlers[0].lock
    assert lock
    with lock:
        for number in range(10):
            gathered.handle(record(f"line {number}"))
    wait_until(lambda: "missing" in written.getvalue(), seconds=5, what="to tell what is missing")
    *lines, told = written.getvalue().splitlines()
    assert lines == ["line 0", "line 1", "line 2"]
    assert told.startswith("Lines of requests are missing, up to 7:")
