"""`15m`, `2h30m`, `3d`: a regular interval as people say it, and the RRULE that means exactly that."""

import re

from rrcli.errors import FieldError, InvalidInput

_SECONDS = {"s": 1, "m": 60, "h": 3600}
_DAYS = {"d": 1, "w": 7}
_FORM = re.compile(r"(?:\s*\d{1,9}\s*[smhdw])+\s*", re.ASCII)
_PART = re.compile(r"(\d+)\s*([smhdw])", re.ASCII)
_FREQUENCIES = (("HOURLY", 3600), ("MINUTELY", 60), ("SECONDLY", 1))


def rule_of_interval(text: str) -> str:
    """`FREQ=MINUTELY;INTERVAL=90` for `90m` and `1h30m`; it is counted from DTSTART.

    Seconds, minutes and hours are elapsed time; days and weeks keep the time of day through changes of the
    clocks. Raises InvalidInput for everything that is not exactly one of the two.
    """
    if not _FORM.fullmatch(text.lower()):
        raise _refused(text, "must be whole numbers with their units, such as 30s, 15m, 2h, 1d or 2w")
    parts = [(int(number), unit) for number, unit in _PART.findall(text.lower())]
    if len({unit for _, unit in parts}) < len(parts):
        raise _refused(text, "must name each unit once")
    days = sum(number * _DAYS.get(unit, 0) for number, unit in parts)
    seconds = sum(number * _SECONDS.get(unit, 0) for number, unit in parts)
    if days and seconds:
        raise _refused(
            text,
            "must not mix days with hours: a day follows the clock and may have 23 or 25 hours",
            hint=f"In elapsed time that is {_hours(days, seconds)}.",
        )
    if not days and not seconds:
        raise _refused(text, "must be longer than nothing")
    return _of_days(days) if days else _of_seconds(seconds)


def _of_days(days: int) -> str:
    weeks, rest = divmod(days, 7)
    return _rule("DAILY", days) if rest else _rule("WEEKLY", weeks)


def _of_seconds(seconds: int) -> str:
    return next(_rule(name, seconds // size) for name, size in _FREQUENCIES if seconds % size == 0)


def _rule(frequency: str, interval: int) -> str:
    return f"FREQ={frequency}" + (f";INTERVAL={interval}" if interval > 1 else "")


def _hours(days: int, seconds: int) -> str:
    whole = days * 86_400 + seconds
    return next(
        f"{whole // size}{unit}" for unit, size in (("h", 3600), ("m", 60), ("s", 1)) if not whole % size
    )


def _refused(text: str, allowed: str, hint: str | None = None) -> InvalidInput:
    hint = hint or (
        "Months and years have no fixed length: use a rule, such as FREQ=MONTHLY;BYMONTHDAY=1."
        if re.search(r"mo|y", text, re.IGNORECASE)
        else None
    )
    return InvalidInput([FieldError(field="every", value=text, allowed=allowed)], hint=hint)
