"""Occurrences as months side by side: days that are marked, and how often where it is several times a day."""

import calendar
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice

import click

from rrcli.cli import times
from rrcli.cli.output import Json
from rrcli.cli.text import pad
from rrcli.core.exclusions import Exclusions
from rrcli.core.recurrence import Recurrence

_WIDTH_IN_A_PIPE = 80
_GAP = 3
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_RUNS, _EXCLUDED, _TIMES, _UNKNOWN = "•", "x", "×", "?"

MOST_COUNTED = 500_000
"""Occurrences that are gone through one by one: about three seconds."""

_STEADY = re.compile(r"DTSTART[^\n]*\nRRULE:FREQ=(HOURLY|MINUTELY|SECONDLY)(?:;INTERVAL=(\d+))?")
_SECONDS = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}


@dataclass(slots=True)
class Days:
    """How many occurrences each day has on the clock of `zone` (None: the machine's), and how many of them do
    not run; `uncounted` is the first day that was not counted to its end, None where all were.
    """

    zone: tzinfo | None
    runs: Counter[date] = field(default_factory=Counter)
    excluded: Counter[date] = field(default_factory=Counter)
    uncounted: date | None = None

    def count(self, recurrence: Recurrence, exclusions: Exclusions, start: datetime, stop: datetime) -> None:
        """Count the occurrences in [start, stop) under their days."""
        if (step := steady_step(recurrence)) and not exclusions:
            self._reckon(recurrence, step, start, stop)
            return
        found = recurrence.occurrences(after=start, before=stop)
        for each in islice(found, MOST_COUNTED):
            day = times.on_clock(each, self.zone).date()
            (self.excluded if exclusions.at(each) else self.runs)[day] += 1
        if (further := next(found, None)) is not None:
            self.uncounted = times.on_clock(further, self.zone).date()
            self.runs.pop(self.uncounted, None)
            self.excluded.pop(self.uncounted, None)

    def _reckon(self, recurrence: Recurrence, step: timedelta, start: datetime, stop: datetime) -> None:
        """As `count`, of occurrences that lie `step` apart: of each day the first and the last tell."""
        while start < stop:
            day = times.on_clock(start, self.zone).date()
            midnight = datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)
            end = min(stop, midnight)
            first, last = recurrence.after(start, inclusive=True), recurrence.before(end)
            if first is not None and last is not None and last >= first:
                self.runs[day] += (last - first) // step + 1
            start = end

    def views(self) -> list[Json]:
        """One record for each day that has occurrences."""
        return [
            {"date": day.isoformat(), "count": self.runs[day], "excluded": self.excluded[day]}
            for day in sorted({*self.runs, *self.excluded})
        ]


def steady_step(recurrence: Recurrence) -> timedelta | None:
    """How far apart the occurrences of a rule such as "every 5 minutes" are; None where that varies."""
    found = _STEADY.fullmatch(recurrence.text)
    return found and timedelta(seconds=_SECONDS[found[1]] * int(found[2] or 1))


def months_between(first: date, last: date) -> list[date]:
    """The first day of each month from that of `first` to that of `last`."""
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def months_ahead(first: date, number: int) -> date:
    """The first day of the month that is `number` months later; the last day that there is at the end."""
    index = first.year * 12 + first.month - 1 + number
    return date(index // 12, index % 12 + 1, 1) if index // 12 <= MAXYEAR else date.max


def drawn(days: Days, months: Sequence[date], *, today: date, width: int | None) -> str:
    """The months in rows that fit the width, and what the marks mean."""
    if days.uncounted is not None:
        months = [each for each in months if each <= days.uncounted]
    most = max(days.runs.values(), default=0)
    sheet = _Sheet(days, today, len(_number(most)) if most > 1 else 0)
    across = max(1, ((width or _WIDTH_IN_A_PIPE) + _GAP) // (sheet.width + _GAP))
    lines: list[str] = []
    for start in range(0, len(months), across):
        blocks = [sheet.month(each) for each in months[start : start + across]]
        height = max(map(len, blocks))
        whole = [[*block, *[""] * (height - len(block))] for block in blocks]
        lines += [_joined(row, sheet.width) for row in zip(*whole, strict=True)]
        lines.append("")
    return "\n".join([*lines, sheet.legend()])


@dataclass(frozen=True, slots=True)
class _Sheet:
    """How the days are drawn; `digits` is the room for counts under the days, 0 where none has several."""

    days: Days
    today: date
    digits: int

    @property
    def cell(self) -> int:
        """Two digits of the day, and a mark or the blank before the next; or as wide as the counts."""
        return max(3, self.digits + 1)

    @property
    def width(self) -> int:
        return 7 * self.cell - (1 if self.digits else 0)

    def month(self, first: date) -> list[str]:
        name = f"{first:%B %Y}"
        lines = [click.style(pad(f"{name:^{self.width}}".rstrip(), 0), bold=True), self._titles()]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month):
            inside = [day if day.month == first.month else None for day in week]
            lines.append("".join(map(self._day, inside)).rstrip())
            if self.digits:
                lines.append("".join(map(self._count, inside)).rstrip())
        return lines

    def _titles(self) -> str:
        between = " " * (self.cell - 2)
        before, after = ("", between) if not self.digits else (between[:-1], " ")
        return click.style("".join(f"{before}{day}{after}" for day in _DAYS).rstrip(), dim=True)

    def _day(self, day: date | None) -> str:
        if day is None:
            return " " * self.cell
        if self.digits:
            return self._styled(day, f"{day.day:>{self.cell - 1}}") + " "
        mark = _RUNS if self.days.runs[day] else _EXCLUDED if self.days.excluded[day] else " "
        mark = _UNKNOWN if self._is_unknown(day) else mark
        return self._styled(day, f"{day.day:>2}{mark.strip()}") + (" " if mark == " " else "")

    def _count(self, day: date | None) -> str:
        runs = self.days.runs[day] if day else 0
        text = _number(runs) if runs else _EXCLUDED if day and self.days.excluded[day] else ""
        text = _UNKNOWN if day and self._is_unknown(day) else text
        blanks = " " * (self.cell - 1 - len(text))
        return f"{blanks}{click.style(text, fg='cyan') if runs else text} "

    def _is_unknown(self, day: date) -> bool:
        return self.days.uncounted is not None and day >= self.days.uncounted

    def _styled(self, day: date, text: str) -> str:
        today = day == self.today or None
        if self.days.runs[day]:
            return click.style(text, fg="green", bold=True, underline=today)
        if self.days.excluded[day]:
            return click.style(text, fg="yellow", underline=today)
        return click.style(text, dim=True, underline=today)

    def legend(self) -> str:
        total, excluded = sum(self.days.runs.values()), sum(self.days.excluded.values())
        marks = [f"{_TIMES}: runs a day (k: thousands)"] if self.digits else [f"{_RUNS}: runs"]
        marks += [f"{_EXCLUDED}: excluded"] if excluded else []
        marks += [f"{_UNKNOWN}: not counted"] if self.days.uncounted else []
        return click.style(
            f"{', '.join(marks)}; {total:,} {'so far' if self.days.uncounted else 'in all'}", dim=True
        )


def _joined(row: Sequence[str], width: int) -> str:
    """The lines of months beside each other; colours take no room."""
    return (" " * _GAP).join(_filled(each, width) for each in row).rstrip()


def _filled(text: str, width: int) -> str:
    return text + " " * (width - len(click.unstyle(text)))


def _number(count: int) -> str:
    """A count in at most four cells: `×4`, `×144`, `×3k`."""
    return f"{_TIMES}{count}" if count < 1000 else f"{_TIMES}{count / 1000:.0f}k"
