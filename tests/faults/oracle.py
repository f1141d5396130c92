"""Rule against ledger against receiver: is every nominal instant there once, and was it called once?

A call may come twice only when it was in flight as its worker was killed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from rrcli.core.models import Event, EventState, Schedule
from rrcli.operations.rules import recurrence_of
from rrcli.repository.base import Repository
from tests.support.receiver import Received

FINAL = {
    EventState.COMPLETED,
    EventState.ERROR,
    EventState.SKIPPED,
    EventState.SUPERSEDED,
    EventState.CANCELLED,
}
_PAGE = 1000

ON_TIME = timedelta(seconds=1)
"""A call that comes later than this after its instant was held up by the fault."""


@dataclass(kw_only=True)
class Verdict:
    """What was found; each list should be empty, `doubles` only where a worker was killed."""

    expected: int = 0
    missing: list[str] = field(default_factory=list)
    entered_twice: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    never_called: list[str] = field(default_factory=list)
    called_without_reason: list[str] = field(default_factory=list)
    doubles: int = 0
    stray_doubles: list[str] = field(default_factory=list)
    recovery_seconds: float | None = None

    @property
    def losses(self) -> int:
        """Instants without a final entry, and entries that say `completed` and were never called."""
        return len(self.missing) + len(self.unfinished) + len(self.never_called)

    def require(self) -> None:
        """Raises AssertionError naming the first of everything that is wrong."""
        wrong = {
            name: (len(found), found[:3])
            for name, found in vars(self).items()
            if isinstance(found, list) and found
        }
        assert not wrong, wrong


def judge(
    repository: Repository,
    schedules: Sequence[Schedule],
    calls: Sequence[Received],
    *,
    until: datetime,
    in_flight: Mapping[str, int] = MappingProxyType({}),
    fault_ended: datetime | None = None,
) -> Verdict:
    """Compare every instant of the schedules' rules up to `until` with the ledger and the calls.

    `in_flight` says how many times a worker was killed that held this event. Recovery ends with the last call
    that was not on time.
    """
    arrived: dict[str, list[datetime]] = defaultdict(list)
    for call in calls:
        arrived[call.headers["webhook-id"]].append(call.time)
    verdict = Verdict()
    known: set[str] = set()
    waited = [timedelta(0)]
    for schedule in schedules:
        entries = [event for event in _entries(repository, schedule.id) if event.run_time <= until]
        _compare_rule(schedule, entries, until, verdict)
        for event in entries:
            known.add(event.id)
            times = arrived.get(event.id, [])
            _compare_calls(event, times, in_flight.get(event.id, 0), verdict)
            if fault_ended and times and times[0] - event.run_time > ON_TIME:
                waited.append(times[0] - fault_ended)
    verdict.called_without_reason = sorted(arrived.keys() - known)
    if fault_ended:
        verdict.recovery_seconds = round(max(waited).total_seconds(), 1)
    return verdict


def _compare_rule(schedule: Schedule, entries: Sequence[Event], until: datetime, verdict: Verdict) -> None:
    rule = recurrence_of(schedule)
    nominal = [at for at in rule.between(schedule.created_at, until, 1_000_000) if at <= until]
    covered: Counter[datetime] = Counter()
    for event in entries:
        if event.span is None:
            covered[event.run_time] += 1
        else:
            first, last = event.span.first, event.span.last
            covered.update(at for at in nominal if first <= at <= last)
        if event.state not in FINAL:
            verdict.unfinished.append(f"{event.id} {event.state}")
    verdict.expected += len(nominal)
    verdict.missing += [f"{schedule.name} {at}" for at in nominal if not covered[at]]
    verdict.entered_twice += [f"{schedule.name} {at}" for at in nominal if covered[at] > 1]


def _compare_calls(event: Event, times: Sequence[datetime], killed: int, verdict: Verdict) -> None:
    if event.state is EventState.COMPLETED and not times:
        verdict.never_called.append(event.id)
    if event.state is EventState.SKIPPED and times:
        verdict.called_without_reason.append(event.id)
    doubles = max(len(times) - max(len(event.attempts), 1), 0)
    verdict.doubles += doubles
    if doubles > killed:
        verdict.stray_doubles.append(f"{event.id} {[f'{at:%H:%M:%S.%f}' for at in times]}")


def _entries(repository: Repository, schedule_id: str) -> Iterator[Event]:
    yield from repository.events.unfinished(schedule_id, limit=1_000_000)
    offset = 0
    while items := repository.events.history(schedule_id, limit=_PAGE, offset=offset).items:
        yield from items
        offset += len(items)
