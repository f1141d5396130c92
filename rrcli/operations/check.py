"""Is the store sound: its files, its indexes, and whether its records agree with each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from rrcli.core.models import Event, EventState
from rrcli.errors import InvalidRule
from rrcli.operations.context import Context
from rrcli.operations.rules import recurrence_of

AT_ONCE = 500

_PATIENCE = timedelta(minutes=2)
"""An event that was entered this recently may be on its way into a queue."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong: `kind` is for programs, `subject` the id or name, `mend` what to do."""

    kind: str
    subject: str
    message: str
    mend: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """One more part was looked at: how many records, and what is wrong with them."""

    records: int
    problems: tuple[Problem, ...]


def check(context: Context) -> Iterator[Looked]:
    """Look at everything but the archive, part by part. Raises StoreUnavailable."""
    yield Looked(records=0, problems=(*_damage(context), *_indexes(context)))
    yield from _schedules(context)
    yield from _events(context)


def _damage(context: Context) -> Iterator[Problem]:
    for text in context.repository.inspection.damage():
        yield Problem(
            kind="damage",
            subject=context.repository.description,
            message=text,
            mend="Stop everything, keep a copy of the file, and restore a backup.",
        )


def _indexes(context: Context) -> Iterator[Problem]:
    for name in context.repository.inspection.missing_indexes():
        yield Problem(
            kind="index",
            subject=name,
            message="is missing",
            mend="rrcli db init; if it stays away, restore a backup",
        )


def _schedules(context: Context) -> Iterator[Looked]:
    offset = 0
    while found := context.repository.schedules.find(limit=AT_ONCE, offset=offset).items:
        problems = []
        for each in found:
            try:
                recurrence_of(each)
            except InvalidRule as error:
                problems.append(
                    Problem(
                        kind="rule",
                        subject=each.id,
                        message=f"its rule cannot be read: {error.message}",
                        mend=f"Give it another: rrcli schedule update {each.id} --rrule RULE",
                    )
                )
        yield Looked(records=len(found), problems=tuple(problems))
        offset += len(found)


def _events(context: Context) -> Iterator[Looked]:
    after = ""
    while found := context.repository.events.live(after_id=after, limit=AT_ONCE):
        yield Looked(records=len(found), problems=(*_orphans(context, found), *_unqueued(context, found)))
        after = found[-1].id


def _orphans(context: Context, events: list[Event]) -> Iterator[Problem]:
    known = context.repository.schedules.get({each.schedule_id for each in events})
    for each in events:
        if each.schedule_id not in known:
            yield Problem(
                kind="orphan",
                subject=each.id,
                message=f"its schedule {each.schedule_id} does not exist",
                mend=f"A worker drops it when it is due; or: rrcli events cancel {each.id}",
            )


def _unqueued(context: Context, events: list[Event]) -> Iterator[Problem]:
    before = context.now() - _PATIENCE
    waiting = {
        each.id for each in events if each.status[-1].time < before and each.state is not EventState.WORKER
    }
    for event_id in sorted(context.repository.queues.missing(waiting)) if waiting else ():
        yield Problem(
            kind="unqueued",
            subject=event_id,
            message="waits, and stands in no queue",
            mend="A prequeuer's reconciler puts it back within a minute: see that one runs.",
        )


def problem_view(problem: Problem) -> dict[str, object]:
    """A problem as JSON."""
    return {
        "kind": problem.kind,
        "subject": problem.subject,
        "message": problem.message,
        "mend": problem.mend,
    }
