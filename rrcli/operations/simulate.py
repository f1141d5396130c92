"""What schedules will do: their events counted over a stretch of time to come, without storing anything.

The engine, the exclusions and the jitter are those of the prequeuer, over the whole stretch at once instead
of tick by tick; tests/operations/test_simulate.py shows that its ticks queue the same events. Misfires and
overlaps are left out: they come from outages and slow receivers, which nobody can foretell.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from rrcli.core.exclusions import Exclusions
from rrcli.core.load import HOUR_SECONDS, Load
from rrcli.core.models import Schedule, ScheduleState
from rrcli.core.policies import jitter
from rrcli.errors import InvalidRule
from rrcli.operations.context import Context
from rrcli.operations.manifest import Declared
from rrcli.operations.rules import recurrence_of
from rrcli.operations.schedules import new_schedule
from rrcli.settings import Settings

DAY_SECONDS = 24 * HOUR_SECONDS
BATCH = 500
_TIMING = ("name", "rrule", "timezone", "jitter_seconds", "exclude_calendars")


@dataclass(frozen=True, slots=True)
class _Timing:
    """What decides when a schedule occurs; schedules that share it are asked for once."""

    rrule: str
    timezone: str | None
    skips: tuple[object, ...]
    calendars: tuple[str, ...]


class Simulation:
    """Counts of events in `days` days from the hour of `start` on.

    `load` is as the schedules say; `smoothed` is with `jitter_seconds` for all of them, or None.
    """

    def __init__(self, start: datetime, days: int, jitter_seconds: float | None = None) -> None:
        self.start = start.replace(minute=0, second=0, microsecond=0)
        self.days = days
        self.jitter_seconds = jitter_seconds
        self.load = Load(self.start, days * DAY_SECONDS)
        self.smoothed = None if jitter_seconds is None else Load(self.start, days * DAY_SECONDS)
        self.schedules = self.silent = self.resting = self.unreadable = 0

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return self.start + timedelta(days=self.days)

    def add(self, schedules: Sequence[Schedule], excluded: Mapping[str, Exclusions]) -> None:
        """Count the events of these schedules; `excluded` says by schedule id what does not fire."""
        together: dict[_Timing, list[Schedule]] = {}
        for schedule in schedules:
            self.schedules += 1
            if schedule.state is ScheduleState.ACTIVE:
                together.setdefault(_timing(schedule), []).append(schedule)
            else:
                self.resting += 1
        for alike in together.values():
            try:
                run_times = self._run_times(alike[0], excluded[alike[0].id])
            except InvalidRule:  # another program's document; the prequeuer pauses it
                self.unreadable += len(alike)
                continue
            self._count(alike, run_times)

    def _run_times(self, schedule: Schedule, exclusions: Exclusions) -> Iterator[datetime]:
        found = recurrence_of(schedule).occurrences(after=self.start, before=self.end)
        return (each for each in found if exclusions.at(each) is None) if exclusions else found

    def _count(self, alike: Sequence[Schedule], run_times: Iterator[datetime]) -> None:
        sharp = sum(schedule.jitter_seconds == 0 for schedule in alike)
        spread = [schedule for schedule in alike if schedule.jitter_seconds]
        counted = 0
        for chunk in _chunks(run_times):
            counted += len(chunk)
            if sharp:
                self.load.add_sharp(chunk, sharp)
            for schedule in spread:
                _spread(self.load, schedule, chunk, schedule.jitter_seconds)
            if self.smoothed is not None and self.jitter_seconds:
                for schedule in alike:
                    _spread(self.smoothed, schedule, chunk, self.jitter_seconds)
            elif self.smoothed is not None:
                self.smoothed.add_sharp(chunk, len(alike))
        if not counted:
            self.silent += len(alike)


def planned(declared: Sequence[Declared], settings: Settings, now: datetime) -> Iterator[list[Schedule]]:
    """What the schedules of a file would be if they were created now, in batches.

    Their ids are made from place and name, so that jitter is the same each time; in a store it spreads alike.
    """
    for begin in range(0, len(declared), BATCH):
        yield [_planned(each, settings, now) for each in declared[begin : begin + BATCH]]


def _planned(declared: Declared, settings: Settings, now: datetime) -> Schedule:
    key = f"{declared.place}|{declared.name}".encode()
    values = {name: declared.fields[name] for name in _TIMING if name in declared.fields}
    made = new_schedule(settings, values, now, schedule_id=blake2b(key, digest_size=12).hexdigest())
    return replace(made, state=ScheduleState.PAUSED) if declared.paused else made


def stored(context: Context) -> Iterator[list[Schedule]]:
    """All schedules of the store, in batches."""
    after_id = None
    while batch := context.repository.schedules.following(after_id, limit=BATCH):
        yield batch
        after_id = batch[-1].id


def _timing(schedule: Schedule) -> _Timing:
    return _Timing(schedule.rrule, schedule.timezone, schedule.skips, schedule.exclude_calendars)


def _spread(load: Load, schedule: Schedule, run_times: Iterable[datetime], seconds: float) -> None:
    for run_time in run_times:
        load.add_spread(run_time + jitter(schedule.id, run_time, seconds))


def _chunks(run_times: Iterator[datetime]) -> Iterator[list[datetime]]:
    """Lists of bounded length: a rule of every second has millions of occurrences."""
    chunk: list[datetime] = []
    for run_time in run_times:
        chunk.append(run_time)
        if len(chunk) == 10_000:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
