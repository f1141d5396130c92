"""The public face of the engine: one recurrence text, and when it occurs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from rrcli.core.recurrence.components import Components, read_components
from rrcli.core.recurrence.describe import describe
from rrcli.core.recurrence.instants import InstantSet
from rrcli.core.recurrence.lint import Lint, refuse_emptied, remarks
from rrcli.core.recurrence.moments import to_datetime, to_instant
from rrcli.core.recurrence.series import FIRST_INSTANT, LAST_INSTANT

# Occurrences are made in lists: short ones first, so that one costs little, then longer ones.
_FIRST_CHUNK = 16
_LATER_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A recurrence text that has been accepted; frozen, hashable, picklable and free of I/O.

    `text` is canonical and reads back to an equal object; `timezone` is the IANA name of the
    zone in which it steps. Occurrences are aware UTC datetimes in whole seconds, ascending,
    none twice.
    """

    text: str
    timezone: str
    _components: Components = field(repr=False, compare=False)
    _instants: InstantSet = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, *, timezone: str | None = None, anchor: datetime | None = None) -> Recurrence:
        """Read a bare `FREQ=…`, an `RRULE:` line, or DTSTART, RRULE, RDATE, EXDATE and EXRULE lines.

        `timezone` (IANA) places a DTSTART without one; `anchor` (aware, cut to whole seconds)
        becomes DTSTART where the text has none. Raises `InvalidRule` for anything else.
        """
        components = read_components(text, timezone, anchor)
        instants = InstantSet(components)
        refuse_emptied(components, instants)
        return cls(str(components), components.zone_name, components, instants)

    def __reduce__(self) -> tuple[object, ...]:
        return Recurrence.parse, (self.text,)

    def after(self, t: datetime, inclusive: bool = False) -> datetime | None:
        """The first occurrence after `t`, or at it when `inclusive`; None when there is none."""
        chunk = next(self._instants.chunks(_first_second(t, inclusive), 1), None)
        return chunk[0] if chunk else None

    def before(self, t: datetime, inclusive: bool = False) -> datetime | None:
        """The last occurrence before `t`, or at it when `inclusive`; None when there is none."""
        found = self._instants.last_before(_first_second(t, not inclusive))
        return None if found is None else to_datetime(found)

    def between(self, start: datetime, end: datetime, limit: int) -> list[datetime]:
        """The occurrences in [start, end), at most the first `limit` of them."""
        return list(self.occurrences(start, end, limit))

    def stretch(self, start: datetime, end: datetime, limit: int) -> tuple[list[datetime], datetime | None]:
        """As `between`, and the occurrence that follows what it gives; in one search instead of two."""
        found: list[datetime] = []
        for time in self._onwards(_first_second(start, True), limit + 1):
            if time >= end or len(found) == limit:
                return found, time
            found.append(time)
        return found, None

    def _onwards(self, begin: int, wanted: int) -> Iterator[datetime]:
        """The occurrences from `begin` on, lazily; two at once, then some more, then many."""
        for size in (2, _FIRST_CHUNK):
            chunk = next(self._instants.chunks(begin, min(size, wanted)), None)
            if chunk is None:
                return
            yield from chunk
            wanted = max(wanted - len(chunk), 1)
            begin = to_instant(chunk[-1])[0] + 1
        for chunk in self._instants.chunks(begin, min(_LATER_CHUNK, wanted)):
            yield from chunk

    def occurrences(
        self, after: datetime | None = None, before: datetime | None = None, limit: int | None = None
    ) -> Iterator[datetime]:
        """The occurrences in [after, before), lazily; without bounds, all from DTSTART on."""
        return islice(self._within(after, before, limit), limit)

    def lint(self) -> tuple[Lint, ...]:
        """What is accepted but probably not meant, each with a stable code and a sentence."""
        return remarks(self._components, self._instants)

    def describe(self) -> str:
        """The recurrence in plain English."""
        return describe(self._components)

    def _within(
        self, after: datetime | None, before: datetime | None, limit: int | None
    ) -> Iterator[datetime]:
        begin = FIRST_INSTANT if after is None else _first_second(after, True)
        end = LAST_INSTANT + 1 if before is None else _first_second(before, True)
        first = next(self._instants.chunks(begin, min(limit or _FIRST_CHUNK, _FIRST_CHUNK), end), None)
        if first is None:
            return
        yield from first
        for chunk in self._instants.chunks(to_instant(first[-1])[0] + 1, _LATER_CHUNK, end):
            yield from chunk


def _first_second(t: datetime, inclusive: bool) -> int:
    """The first whole second after `t`, or at it when `inclusive`."""
    second, cut = to_instant(t)
    return second + (cut or not inclusive)
