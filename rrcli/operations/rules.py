"""A schedule's rule: accepted from outside, kept parsed, changed without losing its anchor."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from rrcli.core.inputs import check_schedule
from rrcli.core.models import Schedule, Timed
from rrcli.core.recurrence import Recurrence
from rrcli.errors import FieldError, InvalidInput, InvalidRule

_TIMES = re.compile(
    r"^(?P<name>DTSTART|RDATE|EXDATE)(?P<zone>;TZID=[^:\n]+)?:"
    r"(?P<times>(?P<first>\d{8}T\d{6})(?P<utc>Z?)(?:,\d{8}T\d{6}Z?)*)$",
    re.MULTILINE,
)
_KEPT_CHARACTERS = 1000
_OWN_START = re.compile(r"^DTSTART[;:]", re.MULTILINE | re.IGNORECASE)


@lru_cache(maxsize=10_000)
def parse(rrule: str, timezone: str | None) -> Recurrence:
    """The recurrence of a stored rule. Raises InvalidRule."""
    return Recurrence.parse(rrule, timezone=timezone)


def recurrence_of(schedule: Timed) -> Recurrence:
    """The schedule's rule, parsed, with the instants that occurrences were moved to. Raises InvalidRule."""
    moved = [skip.moved_to for skip in schedule.skips if skip.moved_to]
    if not moved:
        return parse(schedule.rrule, schedule.timezone)
    added = ",".join(f"{instant:%Y%m%dT%H%M%S}Z" for instant in moved)
    return parse(f"{schedule.rrule}\nRDATE:{added}", schedule.timezone)


def has_occurrence(recurrence: Recurrence, instant: datetime) -> bool:
    """Whether the rule has that very instant."""
    return recurrence.after(instant, inclusive=True) == instant


def next_second(now: datetime) -> datetime:
    """The first whole second not before `now`: where a rule without DTSTART starts.

    The second that has begun would be past: a rule with COUNT would fire once less than it says.
    """
    return now if now.microsecond == 0 else now.replace(microsecond=0) + timedelta(seconds=1)


def accept(rrule: Any, timezone: Any, *, anchor: datetime) -> Recurrence:
    """A rule from outside; one without DTSTART starts at `anchor`.

    Raises InvalidInput for a wrong one, and for one that never occurs.
    """
    return accept_new(rrule, timezone, anchor=anchor)[0]


def accept_new(rrule: Any, timezone: Any, *, anchor: datetime) -> tuple[Recurrence, datetime | None]:
    """As `accept`, and the first occurrence from `anchor` on, where there is one."""
    try:
        recurrence = _read(rrule, timezone, anchor)
    except InvalidRule as error:
        raise _refused(rrule, timezone, error) from error
    upcoming = recurrence.after(anchor, inclusive=True)
    if upcoming is None and next(recurrence.occurrences(limit=1), None) is None:
        problem = FieldError(field="rrule", value=rrule, allowed="never occurs")
        raise InvalidInput([problem], hint="No day fits all its parts, or UNTIL is over.")
    return recurrence, upcoming


def _read(rrule: Any, timezone: Any, anchor: datetime) -> Recurrence:
    """The recurrence; one with a start of its own is parsed once, however often it comes. Raises InvalidRule.

    A long one is not kept: what is only looked at, and never stored, shall not fill the memory.
    """
    kept = isinstance(rrule, str) and len(rrule) <= _KEPT_CHARACTERS and isinstance(timezone, str | None)
    if kept and _OWN_START.search(rrule):
        return parse(rrule, timezone)
    return Recurrence.parse(rrule, timezone=timezone, anchor=anchor)


def check_new(data: Mapping[str, object], *, now: datetime) -> dict[str, Any]:
    """The fields of a new schedule as `check_schedule` has them.

    Raises InvalidInput, which says what is wrong with the rule, too, where other fields are wrong already.
    """
    try:
        return check_schedule(data, partial=False)
    except InvalidInput as error:
        raise InvalidInput([*error.fields, *_of_rule(data, error, now)], hint=error.hint) from None


def _of_rule(data: Mapping[str, object], error: InvalidInput, now: datetime) -> Sequence[FieldError]:
    known = {each.field for each in error.fields}
    rrule, timezone = data.get("rrule"), data.get("timezone")
    if known & {"rrule", "timezone"} or not isinstance(rrule, str):
        return []
    try:
        accept(rrule, timezone, anchor=next_second(now))
    except InvalidInput as of_rule:
        return of_rule.fields
    return []


def changed(old: Schedule, values: Mapping[str, Any]) -> Recurrence:
    """The rule after a change of rule text, time zone, or both. Raises InvalidInput.

    A rule without DTSTART keeps the schedule's own, time zone included, so that sending the same rule again
    changes nothing. A new time zone alone keeps the wall clock: 08:30 in New York becomes 08:30 in Berlin.
    """
    timezone = values.get("timezone", old.timezone)
    if "rrule" not in values:
        return accept(_floating(old.rrule), timezone, anchor=anchor_of(old))
    start = _TIMES.match(old.rrule) if _is_readable(old) else None
    if start is None or timezone != old.timezone or not _lacks_start(values["rrule"]):
        return accept(values["rrule"], timezone, anchor=anchor_of(old))
    zone = start["zone"].removeprefix(";TZID=") if start["zone"] else timezone
    recurrence = accept(values["rrule"], zone, anchor=anchor_of(old))
    # Placed through the anchor alone, a DTSTART inside a DST gap would come back an hour later.
    return accept(_TIMES.sub(start[0], recurrence.text, count=1), timezone, anchor=anchor_of(old))


def anchor_of(schedule: Schedule) -> datetime:
    """The instant of the stored DTSTART; of creation where another program stored a rule without one."""
    start = _TIMES.match(schedule.rrule)
    if start is None:
        return schedule.created_at
    try:
        zone = ZoneInfo(start["zone"].removeprefix(";TZID=")) if start["zone"] else UTC
        local = datetime.strptime(start["first"], "%Y%m%dT%H%M%S").replace(tzinfo=zone)
        return local.astimezone(UTC)
    except (ValueError, KeyError, OverflowError):
        return schedule.created_at


def begins_at_creation(schedule: Schedule) -> bool:
    """Whether nobody gave it a DTSTART: that it may not match the rule is nobody's mistake then."""
    return anchor_of(schedule) == next_second(schedule.created_at)


def _is_readable(schedule: Schedule) -> bool:
    try:
        recurrence_of(schedule)
    except InvalidRule:
        return False
    return True


def _lacks_start(rrule: str) -> bool:
    """Whether the text has a rule and no DTSTART; its lines may be folded (RFC 5545, 3.1)."""
    unfolded = re.sub(r"\r?\n[ \t]", "", rrule).upper()
    return "FREQ=" in unfolded and "DTSTART" not in unfolded


def _floating(rrule: str) -> str:
    """A stored rule with DTSTART, and the dates written in its zone, as wall-clock times of no zone."""
    start = _TIMES.match(rrule)
    if start is None:
        return rrule

    def strip(found: re.Match[str]) -> str:
        if (found["zone"], found["utc"]) != (start["zone"], start["utc"]):
            return found[0]
        return f"{found['name']}:{found['times'].replace('Z', '')}"

    return _TIMES.sub(strip, rrule)


def _refused(rrule: object, timezone: object, error: InvalidRule) -> InvalidInput:
    beside = error.part.lower() in ("timezone", "tzid") and error.position is None
    field, value = ("timezone", timezone) if beside else ("rrule", rrule)
    return InvalidInput(
        [FieldError(field=field, value=value, allowed=_bounded(error.message))], hint=error.hint
    )


def _bounded(message: str) -> str:
    """The message without the middle of what it quotes; the reason stands at its end."""
    return message if len(message) <= 400 else f"{message[:100]}...{message[-200:]}"
