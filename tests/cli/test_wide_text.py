"""Names of all scripts: tables stay in the terminal, and nothing that is seen as one is cut in two."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rrcli.cli.tables import Column, table
from rrcli.cli.text import cells, safe, shorten, wrap

NAMES = {
    "wide": "日本語の名前をもつスケジュールです、とても長い名前なので表に入りません",
    "combining": "e\u0301" * 60,
    "joined": "👩‍💻👨‍👩‍👧‍👦 " * 12,
    "skin": "👍🏽" * 40,
    "flags": "🇩🇪🇫🇷🇯🇵" * 14,
    "variation": "❤️" * 40,
    "hebrew": "תזמון לילי של גיבויים וסיכומים " * 3,
    "persian": "زمان‌بندی شبانه‌ی پشتیبان " * 3,
    "hindi": "रात्रि का बैकअप और रिपोर्ट " * 3,
    "jamo": "각" * 40,
    "escapes": "\u202e\u200b" * 20,
}


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize(
    "line", [["schedule", "list"], ["events", "pending"], ["status"], ["events", "watch", "--for", "0"]]
)
def test_no_line_of_any_script_is_wider_than_the_terminal(run, create, monkeypatch, columns, line):
    for each in NAMES.values():
        create(each.strip())
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = run(*line).out
    assert shown
    assert all(cell_len(each) <= columns for each in shown.splitlines())


@pytest.mark.parametrize("name", NAMES)
def test_columns_after_a_cut_name_stand_where_they_stand_after_a_short_one(name):
    rows = [(safe(NAMES[name]), "after"), ("short", "after")]
    lines = table((Column("NAME", least=8), Column("STATE")), rows, width=30).splitlines()
    assert [cell_len(each.partition("after")[0]) for each in lines[1:]] == [25, 25]


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("👩‍💻👩‍💻👩‍💻", 5, "👩‍💻👩‍💻…"),
        ("👩‍💻👩‍💻👩‍💻", 4, "👩‍💻…"),
        ("🇩🇪🇫🇷🇯🇵", 4, "🇩🇪…"),
        ("👍🏽👍🏽", 3, "👍🏽…"),
        ("❤️❤️", 3, "❤️…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("ab\\x1b[31m", 5, "ab…"),
        ("a\\u202egnp", 8, "a\\u202e…"),
    ],
)
def test_a_cut_goes_round_what_is_seen_as_one(text, width, shown):
    assert shorten(text, width) == shown
    assert cells(shown) <= width


def test_joiners_stay_in_emoji_and_scripts_that_need_them_and_are_shown_elsewhere():
    assert safe("👩‍💻 ❤️‍🔥 زمان‌بندی") == "👩‍💻 ❤️‍🔥 زمان‌بندی"
    assert safe("pay\u200dpal") == "pay\\u200dpal"
    assert safe("👩\u200d💻 a\u200bb") == "👩‍💻 a\\u200bb"
    assert safe("a\U000e0062") == "a\\U000e0062"


@given(st.text(st.sampled_from("ab \\x1é日e\u0301👩‍💻🇩🇪🏽️ก็\u202eह"), max_size=40), st.integers(2, 30))
def test_text_is_cut_and_wrapped_to_the_width_and_nothing_is_lost(text: str, width: int) -> None:
    shown = safe(text)
    assert cells(shorten(shown, width)) <= width
    lines = wrap(shown, width)
    assert all(cells(each) <= width for each in lines)
    assert re.sub(" ", "", "".join(lines)) == re.sub(" ", "", shown)
