"""Identifiers: deterministic where occurrences are meant, 24 hexadecimal digits, in time order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.ids import is_id, occurrence_id, random_id
from rrcli.core.models import Kind

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Hypothesis wants the bounds of aware datetimes naive.
instants = st.datetimes(datetime(1970, 1, 1), datetime(2106, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
schedule_ids = st.text("0123456789abcdef", min_size=24, max_size=24)


@given(schedule_ids, instants, st.sampled_from(Kind), st.text(max_size=8))
def test_an_occurrence_always_has_the_same_well_formed_id(
    schedule_id: str, run_time: datetime, kind: Kind, nonce: str
):
    made = occurrence_id(schedule_id, run_time, kind, nonce)
    assert is_id(made)
    assert made == occurrence_id(schedule_id, run_time, kind, nonce)


def test_the_form_of_an_id_never_changes():
    # Stored ids must be found again by later versions.
    assert occurrence_id("0" * 24, NOON) == "69a42a40aca72151d5fd7d82"


def test_schedule_instant_kind_and_nonce_each_make_another_id():
    ids = {
        occurrence_id(schedule_id, run_time, kind, nonce)
        for schedule_id in ("a" * 24, "b" * 24)
        for run_time in (NOON, NOON + timedelta(milliseconds=1), NOON + timedelta(seconds=1))
        for kind in Kind
        for nonce in ("", "1")
    }
    assert len(ids) == 2 * 3 * len(Kind) * 2


def test_the_instant_counts_not_its_zone():
    assert occurrence_id("a" * 24, NOON) == occurrence_id("a" * 24, NOON.astimezone())


@given(instants, instants, schedule_ids)
def test_ids_of_later_seconds_sort_later(one: datetime, other: datetime, schedule_id: str):
    earlier, later = sorted([one, other])
    if later - earlier >= timedelta(seconds=1):
        assert occurrence_id(schedule_id, earlier) < occurrence_id(schedule_id, later)
        assert random_id(earlier, b"\xff" * 8) < random_id(later, bytes(8))


def test_random_ids_carry_all_their_randomness():
    assert random_id(NOON, bytes(range(8))) == "69a42a400001020304050607"


@pytest.mark.parametrize(
    "text", ["", "a" * 23, "a" * 25, "A" * 24, "g" * 24, "a" * 24 + "\n", "٣" * 24, " " + "a" * 23]
)
def test_what_is_no_id(text: str):
    assert not is_id(text)


def test_instants_outside_four_bytes_still_make_well_formed_ids():
    for year in (1900, 1969, 2107, 9999):
        assert is_id(occurrence_id("a" * 24, datetime(year, 1, 1, tzinfo=UTC)))
