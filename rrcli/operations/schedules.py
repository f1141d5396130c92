"""Creating, changing, pausing and deleting schedules.

A change is written to the schedule first; what it takes out of the queues comes after, and may be lost in a
crash: the worker asks the current rule before it fires an event of an older revision.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from rrcli.clock import from_ms
from rrcli.core.exclusions import Exclusions
from rrcli.core.fields import did_you_mean
from rrcli.core.ids import Seed, occurrence_id
from rrcli.core.inputs import MASK, check_schedule
from rrcli.core.models import (
    Event,
    EventState,
    Kind,
    MisfirePolicy,
    Overlap,
    Schedule,
    ScheduleState,
    Status,
)
from rrcli.core.policies import span_of
from rrcli.core.recurrence import Recurrence
from rrcli.errors import Conflict, FieldError, InvalidInput, InvalidRule, NotFound
from rrcli.log import MARK, is_masked, redact
from rrcli.operations import rules
from rrcli.operations.context import Context
from rrcli.operations.rules import recurrence_of
from rrcli.operations.window import OCCURRENCES_PER_PASS, queue_window, skipped_event
from rrcli.repository.base import Page, QueueEntry
from rrcli.settings import MisfireSettings, ScheduleSettings, Settings

_WRITE_TRIES = 10
_EVENTS_AT_ONCE = 100_000
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
    seed = seed or random_seed(now)
    made = new_schedule(context.settings, values, now, schedule_id=seed.id())
    (schedule,) = enter(context, [made])
    _queue_now(context, schedule, now)
    return schedule


def random_seed(now: datetime) -> Seed:
    """For ids that no other request makes."""
    return Seed(now, secrets.token_hex(16))


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
    recurrence = rules.accept(values["rrule"], values.get("timezone"), anchor=rules.next_second(now))
    next_run = recurrence.after(now, inclusive=True)
    base = _unset(settings.schedule, settings.misfire)
    return replace(
        base,
        **field_changes(base, values),
        id=schedule_id,
        rrule=recurrence.text,
        state=ScheduleState.ACTIVE if next_run else ScheduleState.COMPLETED,
        next_run=next_run,
        created_at=now,
        updated_at=now,
    )


@lru_cache(maxsize=8)
def _unset(defaults: ScheduleSettings, misfire: MisfireSettings) -> Schedule:
    """What a schedule is before anything is said of it."""
    return Schedule(
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
        raise Conflict(
            f"{reference!r} fits several schedules, such as {several}.", hint="Give more of the id."
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


def update(
    context: Context,
    schedule_id: str,
    data: Mapping[str, object],
    *,
    expected_revision: int | None = None,
) -> Schedule:
    """Change the given fields; the others keep their values.

    A new rule or time zone takes queued occurrences of the old one out of the queues, and queues its own. A
    rule without DTSTART keeps the schedule's present one. Raises InvalidInput, NotFound, and Conflict when
    `expected_revision` is not the stored one.
    """
    values = check_schedule(data, partial=True)
    require_calendars(context, values)

    def change(old: Schedule, now: datetime) -> Schedule:
        new = replace(old, **field_changes(old, values))
        same_calendars = new.exclude_calendars == old.exclude_calendars
        unchanged = new if same_calendars else replanned(new, now)
        if not {"rrule", "timezone"} & values.keys():
            return unchanged
        recurrence = rules.changed(old, values)
        if recurrence.text == old.rrule and new.timezone == old.timezone:
            return unchanged
        with suppress(InvalidRule):  # what cannot be read has missed nothing that anyone could name
            _record_missed(context, old, now)
        skips = tuple(skip for skip in old.skips if has_occurrence(recurrence, skip.run_time))
        changed = replace(new, rrule=recurrence.text, skips=skips)
        return _with_rule(changed, recurrence_of(changed), now)

    return rewrite(context, schedule_id, change, expected_revision)


def pause(
    context: Context, schedule_id: str, *, reason: str | None = None, expected_revision: int | None = None
) -> Schedule:
    """Stop making occurrences; those in the queues are superseded. Pausing twice changes nothing."""

    def change(old: Schedule, now: datetime) -> Schedule:
        if old.state is ScheduleState.PAUSED:
            return old
        if old.state is ScheduleState.COMPLETED:
            raise Conflict(f"Schedule {old.id} is completed: there is nothing to pause.")
        return paused(old, reason)

    return rewrite(context, schedule_id, change, expected_revision)


def paused(schedule: Schedule, reason: str | None) -> Schedule:
    """The schedule, making no occurrences until it is resumed."""
    return replace(
        schedule,
        state=ScheduleState.PAUSED,
        state_reason=reason,
        rule_revision=schedule.revision + 1,
    )


def resume(context: Context, schedule_id: str, *, expected_revision: int | None = None) -> Schedule:
    """Make occurrences again, from now on; those that fell into the pause are recorded as skipped."""

    def change(old: Schedule, now: datetime) -> Schedule:
        if old.state is ScheduleState.COMPLETED:
            raise Conflict(
                f"Schedule {old.id} is completed: its rule has no occurrence left.",
                hint="Give it a new rule.",
            )
        if old.state is ScheduleState.ACTIVE:
            return old
        _record_missed(context, old, now)
        active = replace(old, state=ScheduleState.ACTIVE, state_reason=None)
        return _with_rule(active, recurrence_of(old), now)

    return rewrite(context, schedule_id, change, expected_revision)


def trigger(context: Context, schedule_id: str, *, seed: Seed | None = None) -> Event:
    """Call once, now, whatever the rule and state; the event is of kind manual.

    With the `seed` of an earlier try, its event comes back, and is queued if that try broke off before.
    """
    schedule = get(context, schedule_id)
    now = context.now()
    seed = seed or random_seed(now)
    status = Status(time=now, status=EventState.READY, message="Triggered by hand")
    event = Event(
        id=occurrence_id(schedule.id, seed.at, Kind.MANUAL, seed.text),
        schedule_id=schedule.id,
        run_time=seed.at,
        due=seed.at,
        kind=Kind.MANUAL,
        revision=schedule.revision,
        status=(status,),
        created_at=now,
    )
    waiting = context.repository.events.add([event])
    context.repository.queues.add([QueueEntry(event_id=each.id, due=each.due) for each in waiting])
    return waiting[0] if waiting else context.repository.events.find(event.id) or event


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
        _require_revision(schedule, expected_revision)
    if not context.repository.schedules.remove(schedule_id):
        raise NotFound(f"There is no schedule {schedule_id}.")
    forget(context, schedule_id)


def forget(context: Context, schedule_id: str) -> None:
    """Remove all events of a schedule that is gone; safe to repeat."""
    events, queues = context.repository.events, context.repository.queues
    # Out of the queues first: who has forgotten the events cannot find their queue entries any more.
    queues.withdraw([event.id for event in events.unfinished(schedule_id, limit=_EVENTS_AT_ONCE)])
    queues.withdraw(events.forget(schedule_id))


def rewrite(
    context: Context,
    schedule_id: str,
    change: Callable[[Schedule, datetime], Schedule],
    expected_revision: int | None,
) -> Schedule:
    """Read, change, write if nobody else wrote in between; then bring the queues in line."""
    for _ in range(_WRITE_TRIES):
        now = context.now()
        old = get(context, schedule_id)
        if expected_revision is not None:
            _require_revision(old, expected_revision)
        new = change(old, now)
        if new == old:
            return old
        new = replace(_dated(old, new, now), revision=old.revision + 1, updated_at=now)
        if context.repository.schedules.replace(new, expected_revision=old.revision):
            if new.rule_revision != old.rule_revision:
                _supersede(context, new, now)
                _queue_now(context, new, now)
            return new
    raise Conflict(f"Schedule {schedule_id} is being changed by others all the time.", hint="Try again.")


def _dated(old: Schedule, new: Schedule, now: datetime) -> Schedule:
    """`new`, with since when rule and state are what they are where they changed: an audit asks for it."""
    if (new.rrule, new.timezone) != (old.rrule, old.timezone):
        new = replace(new, rule_since=now)
    return new if new.state is old.state else replace(new, state_since=now)


def _require_revision(schedule: Schedule, expected: int) -> None:
    if schedule.revision != expected:
        raise Conflict(
            f"Schedule {schedule.id} is at revision {schedule.revision}, not {expected}.",
            hint="Read it again and repeat the change on what is there now.",
        )


def _with_rule(schedule: Schedule, recurrence: Recurrence, now: datetime) -> Schedule:
    """The schedule with its rule counted from now; a paused one stays paused."""
    next_run = recurrence.after(now, inclusive=True)
    state = ScheduleState.ACTIVE if next_run else ScheduleState.COMPLETED
    return replace(
        schedule,
        state=schedule.state if schedule.state is ScheduleState.PAUSED else state,
        next_run=next_run,
        rule_revision=schedule.revision + 1,
    )


def require_calendars(context: Context, values: Mapping[str, Any]) -> None:
    """A name that stands for no calendar would exclude nothing, silently."""
    names = values.get("exclude_calendars") or ()
    there = context.repository.calendars.versions(names) if names else {}
    absent = [
        FieldError(field=f"exclude_calendars[{index}]", value=name, allowed="must be a calendar that exists")
        for index, name in enumerate(names)
        if name not in there
    ]
    if absent:
        raise InvalidInput(absent, hint="List them: rrcli calendar list")


def replanned(schedule: Schedule, now: datetime) -> Schedule:
    """The schedule, its window to be queued once more: what its skips or calendars take out has changed."""
    changed = replace(schedule, rule_revision=schedule.revision + 1)
    if schedule.state is ScheduleState.PAUSED:
        return changed
    try:
        upcoming = recurrence_of(schedule).after(now, inclusive=True)
    except InvalidRule:
        return changed
    # What was never queued stays to be queued: its misfire policy decides.
    next_run = min((each for each in (upcoming, schedule.next_run) if each), default=None)
    return replace(changed, next_run=next_run, state=ScheduleState.ACTIVE if next_run else schedule.state)


def has_occurrence(recurrence: Recurrence, instant: datetime) -> bool:
    """Whether the rule has that very instant."""
    return recurrence.after(instant, inclusive=True) == instant


def field_changes(old: Schedule, values: Mapping[str, Any]) -> dict[str, Any]:
    """Checked values as fields of the model; nested ones merged into the old, masked ones kept."""
    changes = dict(values)
    changes.pop("rrule", None)
    if "exclude_calendars" in values:
        changes["exclude_calendars"] = tuple(dict.fromkeys(values["exclude_calendars"]))
    if "retry" in values:
        changes["retry"] = replace(old.retry, **values["retry"])
    if "misfire" in values:
        policy = MisfirePolicy(values["misfire"].get("policy", old.misfire.policy))
        changes["misfire"] = replace(old.misfire, **(values["misfire"] | {"policy": policy}))
    if "overlap" in values:
        changes["overlap"] = Overlap(values["overlap"])
    if "callback_url" in values:
        changes["callback_url"] = _unmasked_url(old, values["callback_url"])
    if "headers" in values:
        changes["headers"] = _unmasked_headers(old, values["headers"] or {})
    if "secrets" in values:
        changes["secrets"] = _unmasked_secrets(old, values["secrets"])
    return changes


def _unmasked_url(old: Schedule, url: str) -> str:
    """The stored URL when `url` is what is shown of it."""
    if not is_masked(url):
        return url
    if url != redact(old.callback_url):
        allowed = f"must hold its credentials: {MARK} keeps stored ones only while nothing else changes"
        raise InvalidInput([FieldError(field="callback_url", value=url, allowed=allowed)])
    return old.callback_url


def _unmasked_headers(old: Schedule, headers: Mapping[str, str]) -> dict[str, str]:
    stored = {name.lower(): value for name, value in old.headers.items()}
    masked = [name for name, value in headers.items() if value == MASK]
    _require_stored([f"headers.{name}" for name in masked if name.lower() not in stored])
    return {**headers, **{name: stored[name.lower()] for name in masked}}


def _unmasked_secrets(old: Schedule, secrets: Sequence[str]) -> tuple[str, ...]:
    masked = [index for index, secret in enumerate(secrets) if secret == MASK]
    _require_stored([f"secrets[{index}]" for index in masked if index >= len(old.secrets)])
    return tuple(old.secrets[index] if index in masked else secret for index, secret in enumerate(secrets))


def _require_stored(absent: Sequence[str]) -> None:
    """A mask that stands for nothing would be sent, or would sign, as it is."""
    allowed = f"must be a value: {MASK} keeps a stored one, and there is none here"
    if absent:
        raise InvalidInput([FieldError(field=field, value=MASK, allowed=allowed) for field in absent])


def _queue_now(context: Context, schedule: Schedule, now: datetime) -> None:
    """Queue the current window at once, so that an occurrence in two seconds fires on time."""
    if (
        schedule.state is ScheduleState.ACTIVE
        and schedule.next_run
        and schedule.next_run < now + context.window
    ):
        queue_window(context, [schedule], now)


def _supersede(context: Context, schedule: Schedule, now: datetime) -> None:
    """Take queued occurrences out that the schedule does not have any more."""
    repository = context.repository
    exclusions = context.exclusions([schedule])[schedule.id]
    unfinished = repository.events.unfinished(schedule.id, limit=_EVENTS_AT_ONCE)
    stale = [
        ended for event in unfinished if (ended := taken_out(schedule, exclusions, event, now)) is not None
    ]
    taken = repository.queues.withdraw([event.id for event in stale])
    repository.events.archive([event for event in stale if event.id in taken], now)


def taken_out(schedule: Schedule, exclusions: Exclusions, event: Event, now: datetime) -> Event | None:
    """The event with its last status, when its schedule as it is now does not want it called; else None.

    What has been tried already is not taken out by an exclusion that came later.
    """
    if not may_fire(schedule, event):
        return superseded(schedule, event, now)
    if event.kind is Kind.SCHEDULED and not event.attempts and (excluded := exclusions.at(event.run_time)):
        return event.moved(EventState.SKIPPED, now, excluded.reason)
    return None


def may_fire(schedule: Schedule, event: Event) -> bool:
    """Whether an event still is an occurrence of the schedule as it is now.

    Only events from the rule depend on it; manual runs and replays were asked for by a person.
    """
    if event.kind is not Kind.SCHEDULED or event.revision >= schedule.rule_revision:
        return True
    if schedule.state is ScheduleState.PAUSED:
        return False
    try:
        return has_occurrence(recurrence_of(schedule), event.run_time)
    except InvalidRule:  # another program's document: nothing says that this is still wanted
        return False


def superseded(schedule: Schedule, event: Event, now: datetime) -> Event:
    """The event, ended because its schedule was changed or paused."""
    what = "paused" if schedule.state is ScheduleState.PAUSED else "changed"
    message = f"Schedule was {what} at revision {schedule.rule_revision}; this event was of {event.revision}"
    return event.moved(EventState.SUPERSEDED, now, message)


def _record_missed(context: Context, schedule: Schedule, now: datetime) -> None:
    """One entry for the occurrences before now that were never queued: a pause, or daemons down."""
    if schedule.next_run is None or schedule.next_run >= now:
        return
    recurrence = recurrence_of(schedule)
    missed = recurrence.occurrences(after=schedule.next_run, before=now)
    paused = schedule.state is ScheduleState.PAUSED
    why = "while the schedule was paused" if paused else "not queued before the schedule was changed"
    skips = []
    while run := tuple(islice(missed, OCCURRENCES_PER_PASS)):
        many = f"{len(run)} occurrences" if len(run) > 1 else "Occurrence"
        message = f"{many} {why}"
        skips.append(skipped_event(schedule, span_of(run), now, message))
    context.repository.events.record_skips(skips, now)


def stop_after_gone(context: Context, schedule_id: str) -> None:
    """The receiver answered 410: pause, unless someone deleted the schedule meanwhile."""
    try:
        pause(context, schedule_id, reason="The receiver answered 410 Gone")
    except NotFound:
        return
