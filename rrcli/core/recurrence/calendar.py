"""Gregorian calendar arithmetic on integers, and sets of days of one year as bit masks.

Days count from 1970-01-01 (day 0, a Thursday). Weekdays are 0 (Monday) to 6 (Sunday).

A *day mask* is an int with one bit per day of a year. Bit `i + MARGIN` stands for the day
`i` days after 1 January, so that the last day of the year before and the first of the year
after still have a bit: RFC 7529's SKIP can move a date there.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import compress
from typing import TypeVar

T = TypeVar("T")

FIRST_YEAR = 1900
LAST_YEAR = 9999
DAY_SECONDS = 86_400
MARGIN = 1
FULL_MASK = (1 << (366 + 2 * MARGIN)) - 1

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EPOCH_WEEKDAY = 3
_DAYS = range(-MARGIN, 366 + MARGIN)
_TRUTH = bytes.maketrans(b"01", b"\0\1")


@lru_cache(maxsize=1024)
def january_first(year: int) -> int:
    """The day number of 1 January of `year`."""
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400 - 719_162


@lru_cache(maxsize=1024)
def year_of(day: int) -> int:
    """The year in which `day` lies; days outside the years 1 to 9999 give the nearest of them."""
    return date.fromordinal(min(max(day + _EPOCH_ORDINAL, 1), 3_652_059)).year


def date_of(day: int) -> date:
    """The date of a day number."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def weekday_of(day: int) -> int:
    """0 (Monday) to 6 (Sunday)."""
    return (day + _EPOCH_WEEKDAY) % 7


def is_leap(year: int) -> bool:
    """Whether `year` has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def bits(mask: int) -> list[int]:
    """The days of a mask in ascending order, counted from 1 January (0)."""
    return list(chosen(_DAYS, mask))


def chosen(days: Sequence[T], mask: int) -> Iterator[T]:
    """Of what stands for the days, from the first margin on, that of the days in the mask."""
    return compress(days, bin(mask)[:1:-1].encode().translate(_TRUTH))


def mask_of(days: Iterable[int]) -> int:
    """The mask of days counted from 1 January (0); days beyond the margins are left out."""
    mask = 0
    for day in days:
        if -MARGIN <= day < 366 + MARGIN:
            mask |= 1 << (day + MARGIN)
    return mask


def spaced_mask(first: int, end: int, step: int, width: int = 1) -> int:
    """The mask of `first`, `first` + `step`, … before `end`, with the `width` days that begin at each."""
    count = -((first - end) // step)
    if count <= 0:
        return 0
    marks = ((1 << step * count) - 1) // ((1 << step) - 1) if count > 1 else 1
    mask, shift = marks * ((1 << width) - 1), first + MARGIN
    return (mask << shift if shift >= 0 else mask >> -shift) & FULL_MASK


class YearShape:
    """All that a day filter can depend on in a year: there are 28 shapes, so results can be kept.

    The leapness of the neighbours matters only to the weeks of RFC 5545 (ISO 8601), which
    belong to the year that holds most of their days.
    """

    __slots__ = (
        "_weekday_masks",
        "key",
        "length",
        "month_starts",
        "next_length",
        "own_days",
        "previous_length",
        "weekday",
    )

    def __init__(self, weekday: int, leap: bool, after_leap: bool, before_leap: bool) -> None:
        self.key = weekday * 4 + (1 if leap else 2 if after_leap else 3 if before_leap else 0)
        self.weekday = weekday
        self.length = 365 + leap
        self.previous_length = 365 + after_leap
        self.next_length = 365 + before_leap
        starts = [0]
        for number, days in enumerate(_MONTH_LENGTHS, start=1):
            starts.append(starts[-1] + days + (leap and number == 2))
        self.month_starts = tuple(starts)
        self.own_days = ((1 << self.length) - 1) << MARGIN
        self._weekday_masks = tuple(
            spaced_mask((weekday_wanted - weekday) % 7 - 7, 366 + MARGIN, 7) for weekday_wanted in range(7)
        )

    def month_length(self, month: int) -> int:
        """Days in `month` (1 to 12)."""
        return self.month_starts[month] - self.month_starts[month - 1]

    def month_mask(self, month: int) -> int:
        """All days of `month` (1 to 12)."""
        return ((1 << self.month_length(month)) - 1) << (self.month_starts[month - 1] + MARGIN)

    def weekday_mask(self, weekday: int) -> int:
        """All days with that weekday, the margins included."""
        return self._weekday_masks[weekday]

    def nth_weekday(self, weekday: int, nth: int, first: int, length: int) -> int | None:
        """The nth (negative: from the end) `weekday` of the span of `length` days from day `first`."""
        if nth > 0:
            day = first + (weekday - self.weekday - first) % 7 + 7 * (nth - 1)
        else:
            last = first + length - 1
            day = last - (self.weekday + last - weekday) % 7 + 7 * (nth + 1)
        return day if first <= day < first + length else None

    def weeks_mask(self, numbers: frozenset[int], week_start: int) -> int:
        """The days whose week number (negative: from the end of its week year) is asked for.

        Week 1 is the first with at least four days in its year (RFC 5545 3.3.10), so the days
        around New Year may lie in a week of the neighbouring year, and count by that.
        """
        first, count = _weeks(self.weekday, self.length, week_start)
        before, count_before = _weeks(
            (self.weekday - self.previous_length) % 7, self.previous_length, week_start
        )
        after, count_after = _weeks((self.weekday + self.length) % 7, self.next_length, week_start)
        mask = 0
        for start, weeks in (
            (before - self.previous_length, count_before),
            (first, count),
            (after + self.length, count_after),
        ):
            for week in range(weeks):
                if week + 1 in numbers or week - weeks in numbers:
                    mask |= mask_of(range(start + 7 * week, start + 7 * week + 7))
        return mask & self.own_days


def _weeks(weekday: int, length: int, week_start: int) -> tuple[int, int]:
    """Day of the year on which week 1 begins (may be negative), and the number of weeks."""
    into_week = (weekday - week_start) % 7
    first = -into_week if into_week <= 3 else 7 - into_week
    return first, (length - first + 3) // 7


@lru_cache(maxsize=28)
def _shape(weekday: int, leap: bool, after_leap: bool, before_leap: bool) -> YearShape:
    return YearShape(weekday, leap, after_leap, before_leap)


def shape_of(year: int) -> YearShape:
    """The shape of a year; equal shapes are the same object."""
    return year_cycle()[year % 400]


@lru_cache(maxsize=1)
def year_cycle() -> tuple[YearShape, ...]:
    """The shapes of the 400 years after which the calendar repeats, 2000 first."""
    return tuple(
        _shape(weekday_of(january_first(year)), is_leap(year), is_leap(year - 1), is_leap(year + 1))
        for year in range(2000, 2400)
    )


@lru_cache(maxsize=1)
def all_shapes() -> tuple[YearShape, ...]:
    """Every shape that a year can have."""
    return tuple({shape.key: shape for shape in year_cycle()}.values())
