"""This product. `due|at|hold FILE` makes schedules by the thousand, as POST /api/schedules:batch does."""

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import workload

from rrcli.clock import Clock, SystemClock
from rrcli.operations.batch import BATCH_LIMIT, create_many
from rrcli.operations.context import Context
from rrcli.repository.factory import open_repository
from rrcli.settings import load

BODY = json.dumps(workload.BODY)


@dataclass(frozen=True, slots=True)
class Stopped:
    """A clock that stands still: what is due now was made a moment ago."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return 0.0


def rule(line: dict[str, Any], now: datetime) -> str:
    """Once for `at`; every minute, or every day at a time."""
    if "at" in line:
        start = datetime.fromtimestamp(line["at"], UTC)
        return f"DTSTART:{start:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=DAILY;COUNT=1"
    if line["minute"] is None:
        return f"DTSTART:{now:%Y%m%dT%H%M}00Z\nRRULE:FREQ=MINUTELY"
    return f"DTSTART:{now:%Y%m%d}T{line['hour']:02}{line['minute']:02}00Z\nRRULE:FREQ=DAILY"


def item(line: dict[str, Any], now: datetime) -> dict[str, object]:
    """A schedule as a person would send it."""
    return {
        "name": f"schedule-{line['id']}",
        "rrule": rule(line, now),
        "callback_url": line["url"],
        "method": "POST",
        "headers": {"content-type": "application/json"},
        "body": BODY,
    }


def main() -> None:
    """Make the schedules of a file."""
    what, path = sys.argv[1:]
    lines = workload.lines(path)
    first = next(lines)
    clock: Clock = SystemClock()
    if what == "due":
        clock = Stopped(datetime.fromtimestamp(first["at"], UTC) - timedelta(seconds=1))
    settings = load().settings
    with open_repository(settings) as repository:
        repository.init()
        context = Context(repository=repository, clock=clock, settings=settings)
        batch = [first, *islice(lines, BATCH_LIMIT - 1)]
        while batch:
            create_many(context, [item(line, clock.now()) for line in batch])
            batch = list(islice(lines, BATCH_LIMIT))


if __name__ == "__main__":
    main()
