"""Whether a call is tried again, and when."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.models import Retry
from rrcli.core.retry import Outcome, Verdict, judge, next_attempt

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def outcome(status_code: int | None = None, *, error: str | None = None, permanent: bool = False) -> Outcome:
    return Outcome(status_code=status_code, error=error, permanent=permanent, started=NOW, duration_ms=1.0)


def waited(retry_after: str | None, *, retry: Retry | None = None, now: datetime = NOW) -> float:
    """Seconds until the next attempt, with a back-off of no length."""
    retry = retry or Retry(base_seconds=0)
    again = next_attempt(retry, attempts=1, now=now, random=0.0, retry_after=retry_after)
    return (again - now).total_seconds()


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        (range(200, 300), Verdict.SUCCESS),
        ([408, 425, 429, *range(500, 600)], Verdict.RETRY),
        ([410], Verdict.GONE),
        (sorted({*range(100, 200), *range(300, 500)} - {408, 410, 425, 429}), Verdict.FINAL),
    ],
)
def test_every_status_code_has_its_verdict(codes: list[int], verdict: Verdict):
    assert {judge(outcome(code)) for code in codes} == {verdict}


@pytest.mark.parametrize("code", [None, 200, 410])
def test_an_error_of_the_network_is_retried_whatever_status_came_before_it(code: int | None):
    assert judge(outcome(code, error="timed out")) is Verdict.RETRY


def test_an_error_that_no_retry_can_mend_is_final():
    assert judge(outcome(error="refused address", permanent=True)) is Verdict.FINAL


seconds = st.floats(0, 86_400)


@given(
    base=seconds,
    factor=st.floats(1, 100),
    cap=seconds,
    attempts=st.integers(1, 101),
    random=st.floats(0, 1, exclude_max=True),
)
def test_the_wait_is_full_jitter_under_the_capped_exponential(
    base: float, factor: float, cap: float, attempts: int, random: float
):
    retry = Retry(base_seconds=base, factor=factor, cap_seconds=cap)
    again = next_attempt(retry, attempts=attempts, now=NOW, random=random, retry_after=None)
    ceiling = min(cap, base * factor ** (attempts - 1))
    assert abs((again - NOW).total_seconds() - ceiling * random) <= 1e-6
    assert NOW <= again <= NOW + timedelta(seconds=ceiling)


def test_the_default_ceiling_doubles_from_one_second_to_an_hour():
    ceilings = [
        round(
            (next_attempt(Retry(), attempts=n, now=NOW, random=0.5, retry_after=None) - NOW).total_seconds()
            * 2
        )
        for n in (1, 2, 3, 12, 13, 100)
    ]
    assert ceilings == [1, 2, 4, 2048, 3600, 3600]


def test_an_exponent_too_large_for_a_float_means_the_cap():
    again = next_attempt(Retry(factor=100), attempts=10_000, now=NOW, random=0.5, retry_after=None)
    assert again == NOW + timedelta(seconds=1800)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("007", 7),
        ("0000000000000000007", 7),
        ("3601", 3600),
        ("9" * 100_000, 3600),
        ("", 0),
        (None, 0),
        ("-5", 0),
        ("7.5", 0),
        ("1e9", 0),
        ("7, 8", 0),
        ("soon", 0),
        ("\u00b2", 0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30),
        ("Sun Mar  1 12:00:30 2026", 30),
        ("Sun, 01 Mar 2026 11:59:30 GMT", 0),
        ("Sun, 01 Mar 2026 14:00:30 +0200", 30),
        ("Sun, 01 Mar 9999 12:00:30 GMT", 3600),
        ("Sun, 01 Mar 0001 12:00:30 GMT", 0),
        ("Sun, 99 Mar 2026 12:00:30 GMT", 0),
        ("Sun, 01 Mar 2026 99:99:99 GMT", 0),
        ("Sun, 01 Mar 99999999999999 12:00:00 GMT", 0),
        ("Sun, 01 Mar 2026 12:00:00 +99999999", 0),
    ],
)
def test_retry_after(value: str | None, expected: float):
    assert waited(value, retry=Retry(base_seconds=0, cap_seconds=3600)) == expected


@given(st.text() | st.text("0123456789 :,+-GMTSunMar"))
def test_any_retry_after_gives_a_wait_between_nothing_and_the_cap(value: str):
    assert 0 <= waited(value) <= Retry().cap_seconds


@given(st.integers(0, 3600))
def test_seconds_and_date_ask_for_the_same(asked: int):
    date = format_datetime(NOW + timedelta(seconds=asked), usegmt=True)
    assert waited(date) == waited(str(asked)) == asked


def test_a_date_in_another_zone_is_compared_as_an_instant():
    berlin = timezone(timedelta(hours=1))
    date = format_datetime((NOW + timedelta(seconds=9)).astimezone(berlin))
    assert waited(date) == 9


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_longer_of_back_off_and_retry_after_wins(asked: int, random: float):
    retry = Retry(base_seconds=100, cap_seconds=1000)
    again = next_attempt(retry, attempts=2, now=NOW, random=random, retry_after=str(asked))
    expected = max(200 * random, min(asked, 1000))
    assert abs((again - NOW).total_seconds() - expected) <= 1e-6
