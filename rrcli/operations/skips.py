"""Taking single occurrences of a schedule out by hand, moving them, and putting them back.

A skip is a field of the schedule beside its rule, which stays as its owner wrote it. Writing it plans the
window once more: queued occurrences are withdrawn and recorded as skipped, those put back are queued.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from rrcli.core.exclusions import Exclusions, allowed_from
from rrcli.core.fields import Text
from rrcli.core.models import Schedule, ScheduleState, Skip
from rrcli.core.timefmt import format_instant
from rrcli.errors import Conflict, FieldError, InvalidInput
from rrcli.operations.context import Context
from rrcli.operations.rewrite import replanned, rewrite
from rrcli.operations.rules import has_occurrence, recurrence_of
from rrcli.operations.stale import superseded
from rrcli.operations.window import scheduled_event

COUNT_LIMIT = 366
"""Skips that one schedule may have; those whose time has passed make room."""

REASON_LENGTH = 500
_REASON = Text(REASON_LENGTH)


def skip(
    context: Context,
    schedule_id: str,
    *,
    at: datetime | None = None,
    count: int = 1,
    reason: str | None = None,
    expected_revision: int | None = None,
) -> Schedule:
    """Take out the next `count` occurrences, or those from `at` on; what is out already is not counted.

    Raises Conflict when `at` is no coming occurrence, or fewer are left; InvalidInput, NotFound.
    """
    _require_reason(reason)

    def change(old: Schedule, now: datetime) -> Schedule:
        recurrence = recurrence_of(old)
        if at is None:
            # One that is due this very moment may be in flight already.
            exclusions = context.exclusions([old])[old.id]
            coming = allowed_from(recurrence, exclusions, now, inclusive=False)
        else:
            _require_coming(old, at, now)
            coming = allowed_from(recurrence, Exclusions(), at)
        chosen = list(islice(coming, count))
        if len(chosen) < count:
            raise Conflict(f"Schedule {old.id} has {_number_left(len(chosen))}; nothing was skipped.")
        known = {each.run_time for each in old.skips}
        new = [Skip(run_time=each, reason=reason) for each in chosen if each not in known]
        return _with_skips(old, [*old.skips, *new], now)

    return rewrite(context, schedule_id, change, expected_revision)


def move(
    context: Context,
    schedule_id: str,
    *,
    at: datetime,
    to: datetime,
    reason: str | None = None,
    expected_revision: int | None = None,
) -> Schedule:
    """Let the occurrence of `at` fire at `to` instead; one that was moved already is moved on.

    Raises Conflict when `at` is no coming occurrence, or `to` no free instant ahead; InvalidInput, NotFound.
    """
    _require_reason(reason)

    def change(old: Schedule, now: datetime) -> Schedule:
        _require_coming(old, at, now)
        first = next((each for each in old.skips if each.moved_to == at), None)
        origin = first.run_time if first else at
        others = [each for each in old.skips if each.run_time not in (origin, at)]
        moved = Skip(run_time=origin, reason=reason, moved_to=to)
        new = _with_skips(old, [*others, moved], now)
        _require_free(context, replace(new, skips=tuple(others)), origin, to, now)
        if not has_occurrence(recurrence_of(new), to):
            raise Conflict(f"The rule of schedule {old.id} takes {format_instant(to)} out itself (EXDATE).")
        return new

    return rewrite(context, schedule_id, change, expected_revision)


def unskip(
    context: Context,
    schedule_id: str,
    *,
    at: datetime | None = None,
    everything: bool = False,
    expected_revision: int | None = None,
) -> Schedule:
    """Put an occurrence back: that of `at`, or the next one that was taken out; or all ahead, from `at` on.

    One that was moved is back in its place. Raises Conflict when nothing ahead was skipped, or not at `at`;
    NotFound.
    """
    returned: list[Skip] = []

    def change(old: Schedule, now: datetime) -> Schedule:
        ahead = sorted((each for each in old.skips if each.run_time > now), key=_run_time)
        if everything:
            chosen = [each for each in ahead if at is None or each.run_time >= at]
        else:
            chosen = [each for each in ahead if at is None or each.run_time == at]
        if at is not None and not chosen:
            raise Conflict(f"No occurrence that lies ahead was skipped at {format_instant(at)}.")
        if not chosen:
            if everything:
                return old
            raise Conflict(f"Schedule {old.id} has no skipped occurrence ahead.")
        returned[:] = chosen if everything else chosen[:1]
        gone = {each.run_time for each in returned} | {each.moved_to for each in returned}
        return _with_skips(old, [each for each in old.skips if each.run_time not in gone], now)

    changed = rewrite(context, schedule_id, change, expected_revision)
    if changed.state is ScheduleState.PAUSED:
        _supersede_returned(context, changed, returned)
    return changed


def _supersede_returned(context: Context, schedule: Schedule, returned: Sequence[Skip]) -> None:
    """What was queued before the pause and then skipped is now, as all of that window, superseded."""
    now = context.now()
    queued = [
        scheduled_event(schedule, each.run_time, now)
        for each in returned
        if schedule.next_run and each.run_time < schedule.next_run
    ]
    entered = context.repository.events.add(queued)
    context.repository.events.archive([superseded(schedule, event, now) for event in entered], now)


def _with_skips(old: Schedule, skips: Sequence[Skip], now: datetime) -> Schedule:
    kept = tuple(sorted(skips, key=_run_time))
    if kept == old.skips:
        return old
    if len(kept) > COUNT_LIMIT:
        # The ledger has those whose time has passed and whose window was queued.
        done = min(now, old.next_run or now)
        passed = [each for each in kept if each.run_time < done and (each.moved_to or done) <= done]
        surplus = {each.run_time for each in passed[: len(kept) - COUNT_LIMIT]}
        kept = tuple(each for each in kept if each.run_time not in surplus)
    if len(kept) > COUNT_LIMIT:
        raise Conflict(f"Schedule {old.id} would have more than {COUNT_LIMIT} skips.")
    return replanned(replace(old, skips=kept), now)


def _require_coming(schedule: Schedule, at: datetime, now: datetime) -> None:
    _require_ahead(at, now)
    if not has_occurrence(recurrence_of(schedule), at):
        near = recurrence_of(schedule).after(at)
        hint = f"The next one after it is {format_instant(near)}." if near else None
        raise Conflict(f"Schedule {schedule.id} has no occurrence at {format_instant(at)}.", hint=hint)


def _require_free(context: Context, others: Schedule, origin: datetime, to: datetime, now: datetime) -> None:
    """`to` may not be an occurrence as it is, nor be excluded: the moved one would be lost."""
    _require_ahead(to, now)
    if to.microsecond:
        problem = FieldError(field="to", value=format_instant(to), allowed="must be a whole second")
        raise InvalidInput([problem])
    if to == origin:
        raise Conflict(f"{format_instant(to)} is where it was.", hint="Put it back: rrcli schedule unskip")
    if has_occurrence(recurrence_of(others), to):
        raise Conflict(f"Schedule {others.id} has an occurrence at {format_instant(to)} already.")
    excluded = context.exclusions([others])[others.id].at(to)
    if excluded:
        raise Conflict(f"{format_instant(to)} is excluded: {excluded.reason}.")


def _require_ahead(instant: datetime, now: datetime) -> None:
    if instant <= now:
        raise Conflict(f"{format_instant(instant)} does not lie ahead.")


def _require_reason(reason: str | None) -> None:
    errors: list[FieldError] = []
    if reason is not None:
        _REASON(reason, "reason", errors)
    if errors:
        raise InvalidInput(errors)


def _number_left(number: int) -> str:
    return f"only {number} occurrences left" if number else "no occurrence left to skip"


def _run_time(skip: Skip) -> datetime:
    return skip.run_time
