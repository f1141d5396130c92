"""Whatever is refused, the error that says so is short: it is logged, shown and sent."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.errors import SchedulerError
from rrcli.operations import rules

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LONGEST = 600

HOSTILE = {
    "no rule": "X" * 100_000,
    "a long list": "FREQ=DAILY;BYDAY=" + "MO," * 30_000,
    "a long word": "FREQ=" + "Y" * 100_000,
    "a long date": "DTSTART:" + "9" * 100_000,
    "a long number": "FREQ=DAILY;COUNT=" + "9" * 6_000,
    "a long end": "FREQ=DAILY;UNTIL=" + "x" * 6_400,
    "many rules": "RRULE:FREQ=DAILY\n" * 20_000,
    "a long name": "FREQ=DAILY;X-" + "é" * 100_000 + "=1",
    "half a surrogate pair": "FREQ=\ud800" * 1_000,
}


def refusal(rule: str, zone: str | None = None) -> SchedulerError | None:
    try:
        rules.accept(rule, zone, anchor=NOON)
    except SchedulerError as error:
        return error
    return None


@pytest.mark.parametrize("rule", HOSTILE.values(), ids=HOSTILE)
def test_the_error_about_a_huge_rule_is_short(rule: str) -> None:
    error = refusal(rule)
    assert error is not None
    assert len(error.message) + len(error.hint or "") <= LONGEST


@given(
    st.text(max_size=200),
    st.integers(1, 2_000),
    st.sampled_from(["", "RRULE:", "FREQ=", "FREQ=DAILY;BYDAY="]),
)
def test_the_error_about_any_rule_is_short(piece: str, times: int, start: str) -> None:
    error = refusal(start + piece * times)
    assert error is None or len(error.message) <= LONGEST


@pytest.mark.parametrize("zone", ["x" * 100_000, "Europe/\ud800", "../../etc/passwd", "\0"])
def test_the_error_about_a_time_zone_is_short(zone: str) -> None:
    error = refusal("FREQ=DAILY", zone)
    assert error is not None
    assert len(error.message) <= LONGEST
