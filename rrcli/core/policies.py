"""What becomes of the occurrences that a window holds: fired, or skipped because they come too late."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import groupby

from rrcli.clock import to_ms
from rrcli.core.models import Misfire, MisfirePolicy, Span, Timed


@dataclass(frozen=True, kw_only=True, slots=True)
class Sorted:
    """The instants to fire, oldest first, and the runs of instants that are too late to fire."""

    fire: tuple[datetime, ...]
    skipped: tuple[Span, ...]


def sort_by_misfire(
    schedule: Timed, occurrences: Sequence[datetime], *, now: datetime, latest_due: datetime | None
) -> Sorted:
    """Divide occurrences (ascending) by the schedule's misfire policy as of `now`.

    `latest_due` is the newest occurrence that is due and to fire, whether or not it is among `occurrences`.
    """
    if not occurrences or not is_late(occurrences[0], schedule.misfire, now=now):
        return Sorted(fire=tuple(occurrences), skipped=())

    def fires(run_time: datetime) -> bool:
        due = run_time + jitter(schedule.id, run_time, schedule.jitter_seconds)
        return not is_late(due, schedule.misfire, now=now) or fires_late(
            run_time, schedule.misfire, now=now, latest_due=latest_due
        )

    runs = [(fired, tuple(run)) for fired, run in groupby(occurrences, key=fires)]
    return Sorted(
        fire=tuple(each for fired, run in runs if fired for each in run),
        skipped=tuple(span_of(run) for fired, run in runs if not fired),
    )


def is_late(due: datetime, misfire: Misfire, *, now: datetime) -> bool:
    """Whether something due then comes up too late to count as on time."""
    return due < now - timedelta(seconds=min(misfire.grace_seconds, misfire.window_seconds))


def fires_late(run_time: datetime, misfire: Misfire, *, now: datetime, latest_due: datetime | None) -> bool:
    """Whether a late occurrence fires after all; under `latest`, the newest due one stands for the rest."""
    if run_time < now - timedelta(seconds=misfire.window_seconds):
        return False
    return misfire.policy is MisfirePolicy.ALL or (
        misfire.policy is MisfirePolicy.LATEST and run_time == latest_due
    )


def span_of(run: Iterable[datetime]) -> Span:
    """One entry for a run of instants, ascending and not empty."""
    instants = tuple(run)
    return Span(first=instants[0], last=instants[-1], count=len(instants))


def jitter(schedule_id: str, run_time: datetime, jitter_seconds: float) -> timedelta:
    """A delay in [0, jitter_seconds) in whole milliseconds, always the same for one occurrence.

    A fleet of midnight schedules thus spreads the same way every night.
    """
    if jitter_seconds <= 0:
        return timedelta(0)
    digest = blake2b(f"{schedule_id}|{to_ms(run_time)}".encode(), digest_size=8).digest()
    # In integers: a quotient of floats may be rounded up to one.
    return timedelta(milliseconds=int(jitter_seconds * 1000) * int.from_bytes(digest) >> 64)
