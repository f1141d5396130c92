"""Interim engine over python-dateutil, replaced by the exact one behind the same interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil import rrule

from rrcli.errors import InvalidRule

LONGEST_TEXT_CHARACTERS = 6500


@dataclass(frozen=True)
class Lint:
    """One remark about a rule that is accepted: a stable code and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Recurrence:
    """A set of instants as RFC 5545 text; frozen and hashable."""

    text: str
    timezone: str

    @staticmethod
    def parse(text: str, *, timezone: str | None = None, anchor: datetime | None = None) -> Recurrence:
        """Read a bare rule or iCalendar lines; raise InvalidRule for anything else."""
        if len(text) > LONGEST_TEXT_CHARACTERS:
            raise InvalidRule("The text is too long", part="RRULE", value=text[:40], position=0)
        lines = [line.strip() for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
        lines = [line if ":" in line else f"RRULE:{line}" for line in lines]
        zone = timezone or "UTC"
        out: list[str] = []
        start = None
        for line in lines:
            head, _, value = line.partition(":")
            name, _, parameters = head.partition(";")
            if name.upper() == "DTSTART":
                start = value
                if parameters.upper().startswith("TZID="):
                    zone = parameters[5:]
            else:
                out.append(f"{name.upper()}:{value}")
        if not out:
            raise InvalidRule("No rule", part="RRULE", value=text[:40], position=0)
        try:
            tz = ZoneInfo(zone)
        except (ValueError, OSError) as error:
            raise InvalidRule("Unknown time zone", part="TZID", value=zone, position=None) from error
        if start is None:
            if anchor is None:
                raise InvalidRule("DTSTART is missing", part="DTSTART", value="", position=None)
            start = anchor.astimezone(tz).strftime("%Y%m%dT%H%M%S")
        if start.endswith("Z") or zone == "UTC":
            zone, first = "UTC", f"DTSTART:{start.rstrip('Z')}Z"
        else:
            first = f"DTSTART;TZID={zone}:{start}"
        result = Recurrence(text="\n".join([first, *out]), timezone=zone)
        try:
            _ = result._set
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError) as error:
            raise InvalidRule(str(error), part="RRULE", value=text[:80], position=0) from error
        return result

    @cached_property
    def _set(self) -> rrule.rruleset:
        found = rrule.rrulestr(self.text, forceset=True, tzids=ZoneInfo)
        assert isinstance(found, rrule.rruleset)
        return found

    def after(self, t: datetime, inclusive: bool = False) -> datetime | None:
        """The first occurrence after `t` (or at it, when inclusive); None when there is none."""
        return next(iter(self.occurrences(after=t if inclusive else t + timedelta(microseconds=1))), None)

    def before(self, t: datetime, inclusive: bool = False) -> datetime | None:
        """The last occurrence before `t` (or at it, when inclusive); None when there is none."""
        found = self._set.before(t, inc=inclusive)
        return None if found is None else found.astimezone(UTC)

    def between(self, start: datetime, end: datetime, limit: int) -> list[datetime]:
        """At most `limit` occurrences of [start, end)."""
        return list(self.occurrences(after=start, before=end, limit=limit))

    def occurrences(
        self, after: datetime | None = None, before: datetime | None = None, limit: int | None = None
    ) -> Iterator[datetime]:
        """Occurrences of [after, before), lazily, at most `limit`."""
        return islice(self._walk(after, before), limit)

    def _walk(self, after: datetime | None, before: datetime | None) -> Iterator[datetime]:
        last = None
        for local in self._set if after is None else self._set.xafter(after, inc=True):
            found = local.astimezone(UTC)
            if before is not None and found >= before:
                return
            if found != last:
                yield found
            last = found

    def lint(self) -> tuple[Lint, ...]:
        """Remarks about the rule."""
        return ()

    def describe(self) -> str:
        """The rule in plain English."""
        return self.text
