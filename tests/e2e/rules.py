"""The eight rules of the original's documentation, with the occurrences it states."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`first` are the first occurrences; `ended` says that none is left today."""

    name: str
    text: str
    first: tuple[str, ...]
    ended: bool = False


def _days(time: str, *days: str) -> tuple[str, ...]:
    return tuple(f"{day}T{time}Z" for day in days)


RULES = (
    Rule(
        "daily",
        "DTSTART:20250101T083000Z\nRRULE:FREQ=DAILY;INTERVAL=1",
        _days("08:30:00", "2025-01-01", "2025-01-02", "2025-01-03"),
    ),
    Rule(
        "weekly",
        "DTSTART:20250101T151500Z\nRRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,WE,FR",
        _days("15:15:00", "2025-01-01", "2025-01-03", "2025-01-06"),
    ),
    Rule(
        "monthly",
        "DTSTART:20250101T100000Z\nRRULE:FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=1,15",
        _days("10:00:00", "2025-01-01", "2025-01-15", "2025-02-01", "2025-02-15"),
    ),
    Rule(
        "yearly",
        "DTSTART:20250101T070000Z\nRRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25",
        _days("07:00:00", "2025-12-25", "2026-12-25"),
    ),
    Rule(
        "count",
        "DTSTART:20250101T184500Z\nRRULE:FREQ=DAILY;INTERVAL=1;COUNT=5",
        _days("18:45:00", "2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04", "2025-01-05"),
        ended=True,
    ),
    Rule(
        "until",
        "DTSTART:20250101T170000Z\nRRULE:FREQ=DAILY;UNTIL=20250110T170000Z",
        _days("17:00:00", *(f"2025-01-{day:02}" for day in range(1, 11))),
        ended=True,
    ),
    Rule(
        "hourly",
        "DTSTART:20250101T020000Z\nRRULE:FREQ=HOURLY;INTERVAL=3",
        tuple(f"2025-01-01T{hour:02}:00:00Z" for hour in (2, 5, 8, 11)),
    ),
    Rule(
        "second-monday",
        "DTSTART:20250101T233000Z\nRRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2",
        _days("23:30:00", "2025-01-13", "2025-02-10", "2025-03-10"),
    ),
)
