"""Which days of a year the date parts of a rule allow (BYMONTH to BYDAY), as day masks."""

from collections.abc import Iterable
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any

from rrcli.core.recurrence.calendar import FULL_MASK, YearShape, mask_of
from rrcli.core.recurrence.rule import Frequency, Rule, Skip, WeekdayItem

ALL_MONTHS = tuple(range(1, 13))
_DATE_PARTS = ("months", "week_numbers", "year_days", "month_days", "weekdays")
_lists_of = attrgetter(*_DATE_PARTS)
_KEPT_VALUES = 32


class DayFilter:
    """The date parts of one rule. A mask depends on nothing but the shape of the year.

    Made by `day_filter`: rules with the same date parts share one, and with it the masks that it keeps.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._months = frozenset(rule.months or ALL_MONTHS)
        self._weeks = frozenset(rule.week_numbers)
        self._within_month = rule.frequency == Frequency.MONTHLY or bool(rule.months)
        # Only a rule that generates dates can generate one that does not exist (RFC 7529 4.1).
        self._skip = rule.skip if rule.frequency <= Frequency.MONTHLY else Skip.OMIT
        self._kept: dict[int, int] = {}

    @property
    def leaves_year(self) -> bool:
        """Whether SKIP may move a date into the year before or after."""
        return self._skip != Skip.OMIT and bool({366, -366} & set(self._rule.year_days))

    def allows_all(self) -> bool:
        """Whether there is no date part at all."""
        rule = self._rule
        return not (rule.months or rule.week_numbers or rule.year_days or rule.month_days or rule.weekdays)

    def year_mask(self, shape: YearShape) -> int:
        """The allowed days of a whole year; kept, since there are only 28 shapes."""
        mask = self._kept.get(shape.key)
        if mask is None:
            mask = self._kept[shape.key] = self.mask(shape, ALL_MONTHS)
        return mask

    def mask(self, shape: YearShape, months: Iterable[int]) -> int:
        """The days that `months` generate: those of BYMONTH among them, then every other date part."""
        rule = self._rule
        chosen = [month for month in months if month in self._months]
        if rule.month_days or rule.year_days:
            mask = self._generated(shape, chosen)
        else:
            mask = shape.own_days if len(chosen) == 12 else sum(map(shape.month_mask, chosen))
        if self._weeks:
            mask &= shape.weeks_mask(self._weeks, rule.week_start)
        if rule.weekdays:
            mask &= self._weekday_mask(shape)
        return mask

    def _generated(self, shape: YearShape, months: list[int]) -> int:
        mask = FULL_MASK
        if self._rule.month_days:
            mask &= mask_of(
                day
                for month in months
                for number in self._rule.month_days
                for day in self._moved(number, shape.month_starts[month - 1], shape.month_length(month))
            )
        if self._rule.year_days:
            of_month = partial(self._year_day_in, shape, frozenset(months))
            numbers = filter(of_month, self._rule.year_days)
            mask &= mask_of(day for number in numbers for day in self._moved(number, 0, shape.length))
        return mask

    def _moved(self, number: int, first: int, length: int) -> Iterable[int]:
        """Day `number` of the span, where SKIP puts it when the span is too short; empty for OMIT."""
        offset = number - 1 if number > 0 else length + number
        if 0 <= offset < length:
            return (first + offset,)
        if self._skip == Skip.OMIT:
            return ()
        past_end = offset >= length
        if self._skip == Skip.FORWARD:
            return (first + length if past_end else first,)
        return (first + length - 1 if past_end else first - 1,)

    @staticmethod
    def _year_day_in(shape: YearShape, months: frozenset[int], number: int) -> bool:
        day = number - 1 if number > 0 else shape.length + number
        day = min(max(day, 0), shape.length - 1)
        return next(month for month in ALL_MONTHS if day < shape.month_starts[month]) in months

    def _weekday_mask(self, shape: YearShape) -> int:
        mask = 0
        for item in self._rule.weekdays:
            mask |= shape.weekday_mask(item.weekday) if item.nth == 0 else self._numbered(shape, item)
        return mask

    def _numbered(self, shape: YearShape, item: WeekdayItem) -> int:
        if self._within_month:
            spans = [(shape.month_starts[month - 1], shape.month_length(month)) for month in ALL_MONTHS]
        else:
            spans = [(0, shape.length)]
        found = (shape.nth_weekday(item.weekday, item.nth, first, length) for first, length in spans)
        return mask_of(day for day in found if day is not None)


def day_filter(rule: Rule) -> DayFilter:
    """The date parts of a rule; those of a long one are not kept, for everybody may send such rules."""
    lists = _lists_of(rule)
    if sum(map(len, lists)) > _KEPT_VALUES:
        return DayFilter(rule)
    return _kept_filter(rule.frequency, rule.skip, rule.week_start, lists)


@lru_cache(maxsize=1024)
def _kept_filter(
    frequency: Frequency, skip: Skip, week_start: int, lists: tuple[tuple[Any, ...], ...]
) -> DayFilter:
    """Some 8 MB at most, all 28 masks of each included."""
    values: dict[str, Any] = dict(zip(_DATE_PARTS, lists, strict=True))
    return DayFilter(Rule(frequency=frequency, skip=skip, week_start=week_start, **values))


def in_year(mask: int, shape: YearShape) -> int:
    """The mask without its margins."""
    return mask & shape.own_days
