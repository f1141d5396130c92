"""`top`: the whole terminal, and nothing of it left afterwards."""

import re

from rrcli.cli.text import cells
from tests.cli.conftest import on_terminal

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
