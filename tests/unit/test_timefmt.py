"""Instants as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.models import whole_ms
from rrcli.core.timefmt import format_instant, parse_instant
from rrcli.errors import InvalidInput

# Hypothesis wants the bounds of aware datetimes naive.
instants = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@given(instants)
def test_whole_milliseconds_survive_the_round_trip(instant: datetime):
    whole = whole_ms(instant)
    assert parse_instant(format_instant(whole), field="after") == whole


@given(instants, st.integers(-14 * 60, 14 * 60))
def test_the_text_is_of_the_instant_not_of_its_zone(instant: datetime, minutes: int):
    elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes)))
    assert format_instant(elsewhere) == format_instant(instant)


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [
        (0, "2025-01-05T12:00:00Z"),
        (999, "2025-01-05T12:00:00Z"),
        (1000, "2025-01-05T12:00:00.001Z"),
        (120_000, "2025-01-05T12:00:00.120Z"),
    ],
)
def test_milliseconds_are_written_only_where_there_are_any(microsecond: int, text: str):
    assert format_instant(datetime(2025, 1, 5, 12, 0, 0, microsecond, UTC)) == text


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-05T12:00:00Z",
        "2025-01-05T13:00:00+01:00",
        "2025-01-05 12:00:00.000Z",
        "2025-01-05T06:30:00-05:30",
    ],
)
def test_an_offset_is_heeded(text: str):
    assert parse_instant(text, field="after") == datetime(2025, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-05T12:00:00",
        "2025-01-05",
        "tomorrow",
        "",
        "2025-02-30T12:00:00Z",
        "2025-01-05T25:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2025-01-05T12:00:00Z\n",
        "\ud800",
        "2" * 100_000,
    ],
)
def test_anything_else_is_refused_by_the_name_of_its_field(text: str):
    with pytest.raises(InvalidInput) as caught:
        parse_instant(text, field="after")
    (error,) = caught.value.fields
    assert (error.field, error.value) == ("after", text)
    assert "with its offset" in error.allowed


@given(st.text() | st.text("0123456789-+:.TZW "))
def test_any_text_is_an_instant_or_invalid_input(text: str):
    try:
        parsed = parse_instant(text, field="after")
    except InvalidInput:
        return
    assert parsed.utcoffset() == timedelta(0)
