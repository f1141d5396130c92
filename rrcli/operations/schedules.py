"""Making, finding and deleting schedules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from rrcli.clock import from_ms
from rrcli.core.fields import did_you_mean
from rrcli.core.ids import Seed
from rrcli.core.models import Overlap, Schedule, ScheduleState
from rrcli.errors import Conflict, NotFound
from rrcli.operations import rules
from rrcli.operations.context import Context
from rrcli.operations.handover import let_begin
from rrcli.operations.schedule_fields import field_changes, require_calendars
from rrcli.operations.stale import EVENTS_AT_ONCE
from rrcli.operations.window import queue_now
from rrcli.repository.base import Page
from rrcli.settings import MisfireSettings, ScheduleSettings, Settings

_NAMES_LOOKED_AT = 500


def create(context: Context, data: Mapping[str, object], *, seed: Seed | None = None) -> Schedule:
    """Store a new schedule and queue what falls into the current window.

    A rule without DTSTART starts at the next whole second, which is its first occurrence. Occurrences before
    now never fire; a rule whose occurrences are all in the past makes a schedule that is completed from the
    start. With the `seed` of an earlier try, what that stored is found instead. Raises InvalidInput.
    """
    now = context.now()
    values = rules.check_new(data, now=now)
    require_calendars(context, values)
    seed = seed or Seed.random(now)
    made = new_schedule(context.settings, values, now, schedule_id=seed.id())
    (schedule,) = enter(context, [made])
    queue_now(context, schedule, now)
    return schedule


def enter(context: Context, made: Sequence[Schedule]) -> list[Schedule]:
    """Store new schedules; those that an earlier try under the same seed has stored come back as stored."""
    stored = context.repository.schedules
    try:
        stored.add(made)
    except Conflict:
        there = stored.get([each.id for each in made])
        stored.add([each for each in made if each.id not in there])
        return [there.get(each.id, each) for each in made]
    return list(made)


def new_schedule(
    settings: Settings, values: Mapping[str, Any], now: datetime, *, schedule_id: str
) -> Schedule:
    """The schedule that checked values make, as of `now`; touches nothing.

    Raises InvalidInput for a wrong rule, and for one that never occurs.
    """
    anchor = rules.next_second(
        now
    )  # occurrences are whole seconds: the first from there on is that from now on
    recurrence, next_run = rules.accept_new(values["rrule"], values.get("timezone"), anchor=anchor)
    base, unset = _unset(settings.schedule, settings.misfire)
    made = {
        "id": schedule_id,
        "rrule": recurrence.text,
        "state": ScheduleState.ACTIVE if next_run else ScheduleState.COMPLETED,
        "next_run": next_run,
        "created_at": now,
        "updated_at": now,
    }
    return Schedule(**unset | field_changes(base, values) | made)


@lru_cache(maxsize=8)
def _unset(defaults: ScheduleSettings, misfire: MisfireSettings) -> tuple[Schedule, dict[str, Any]]:
    """What a schedule is before anything is said of it; the same as its fields."""
    base = Schedule(
        id="",
        name="",
        rrule="",
        callback_url="",
        timeout_seconds=defaults.timeout_seconds,
        retry=defaults.retry(),
        misfire=misfire.default(),
        overlap=Overlap(defaults.overlap),
        jitter_seconds=defaults.jitter_seconds,
        auto_pause_after=defaults.auto_pause_after,
        created_at=from_ms(0),
        updated_at=from_ms(0),
    )
    return base, {name: getattr(base, name) for name in base.__slots__}


def get(context: Context, schedule_id: str) -> Schedule:
    """Raises NotFound."""
    found = context.repository.schedules.get([schedule_id]).get(schedule_id)
    if found is None:
        raise NotFound(f"There is no schedule {schedule_id}.", hint="List them: rrcli schedule list")
    return found


def resolve(context: Context, reference: str) -> Schedule:
    """The schedule that a person means by an id, a unique prefix of one, or a name.

    Raises NotFound, or Conflict when several fit.
    """
    found = context.repository.schedules.resolve(reference)
    if not found:
        raise NotFound(
            f"No schedule has the id or name {reference!r}.{_near(context, reference)}",
            hint="List them: rrcli schedule list",
        )
    if len(found) > 1:
        several = ", ".join(f"{each.id} ({each.name})" for each in found)
        by_name = all(each.name == reference for each in found)
        raise Conflict(
            f"{reference!r} fits several schedules, such as {several}.",
            hint="Give the id, or the beginning of it." if by_name else "Give more of the id.",
        )
    return found[0]


def _near(context: Context, reference: str) -> str:
    """The name that was meant, perhaps; among the newest ones, so that a typo costs one page of reading."""
    names = {each.name for each in context.repository.schedules.find(limit=_NAMES_LOOKED_AT).items}
    near = did_you_mean(reference, names)
    return f" Did you mean {near!r}?" if near else ""


def find(
    context: Context,
    *,
    state: ScheduleState | None = None,
    name: str | None = None,
    tag: str | None = None,
    limit: int,
    offset: int = 0,
) -> Page[Schedule]:
    """Schedules, newest first."""
    return context.repository.schedules.find(state=state, name=name, tag=tag, limit=limit, offset=offset)


def delete(context: Context, schedule_id: str, *, expected_revision: int | None = None) -> None:
    """Remove the schedule with all its events, queued, live and archived.

    Raises NotFound, and Conflict when `expected_revision` is not the stored one. A repeated call ends what
    one that broke off left behind, before it raises NotFound.
    """
    try:
        schedule = get(context, schedule_id)
    except NotFound:
        forget(context, schedule_id)
        raise
    if expected_revision is not None:
        require_revision(schedule, expected_revision)
    if not context.repository.schedules.remove(schedule_id):
        raise NotFound(f"There is no schedule {schedule_id}.")
    forget(context, schedule_id)


def require_revision(schedule: Schedule, expected: int) -> None:
    if schedule.revision != expected:
        raise Conflict(
            f"Schedule {schedule.id} is at revision {schedule.revision}, not {expected}.",
            hint="Read it again and repeat the change on what is there now.",
        )


def forget(context: Context, schedule_id: str) -> None:
    """Remove all events of a schedule that is gone: none of them begins afterwards. Safe to repeat."""
    events, queues = context.repository.events, context.repository.queues
    # Out of the queues first: who has forgotten the events cannot find their queue entries any more.
    unfinished = events.unfinished(schedule_id, limit=EVENTS_AT_ONCE)
    taken = queues.withdraw([event.id for event in unfinished])
    queues.withdraw(events.forget(schedule_id))
    let_begin(context, (event for event in unfinished if event.id not in taken))
