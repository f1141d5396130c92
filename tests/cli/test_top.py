"""`top`: the whole terminal, and nothing of it left afterwards."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from rrcli.cli.text import cells
from tests.cli.conftest import command, on_terminal

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


def test_it_shows_status_and_ends_on_q(create):
    create("job")
    code, shown = on_terminal("top", typed="q", NO_COLOR="1")
    assert code == 0
    assert shown.index(ENTER) < shown.index("prequeuer") < shown.index(LEAVE)
    assert "q quits" in shown
    assert "job" in shown


def test_no_line_is_wider_than_80_columns_and_no_page_longer_than_the_window(create):
    create("日本語の名前をもつスケジュールです" * 3)
    code, shown = on_terminal("top", typed="q", NO_COLOR="1", LINES="20")
    page = shown.partition("\x1b[H")[2].partition("\x1b[J")[0]
    lines = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", page).replace("\r", "").split("\n")
    assert code == 0
    assert len(lines) <= 20
    assert all(cells(line) <= 80 for line in lines)


def test_a_store_that_is_away_is_told_and_tried_again(create):
    code, shown = on_terminal(
        *("top", "--interval", "50ms"),
        typed="q",
        MONGO_URI="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50",
    )
    assert code == 0
    assert "Still trying." in shown


def test_without_a_terminal_it_says_what_to_use(run):
    result = run("top")
    assert result.code == 2
    assert "rrcli status -o json" in result.err


def read_until(descriptor: int, wanted: str) -> str:
    """What appears up to and with `wanted`; the test's own limit ends a wait in vain."""
    shown = ""
    while wanted not in shown:
        shown += os.read(descriptor, 65536).decode()
    return shown


def test_it_draws_anew_when_the_window_gets_another_size(create):
    create("job")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 80, 0, 0))
    line = command("top", "--interval", "1h")
    # Not what C has in its environment: readline puts LINES there, which would win over the window.
    with subprocess.Popen(
        line, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True, env=dict(os.environ)
    ) as process:
        os.close(theirs)
        assert "NEXT" not in read_until(ours, "\x1b[J")
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        assert "NEXT" in read_until(ours, "\x1b[J")
        os.write(ours, b"q")
        read_until(ours, LEAVE)
        assert process.wait(20) == 0
    os.close(ours)
