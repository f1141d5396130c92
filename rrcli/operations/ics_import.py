"""Events of an iCalendar file as schedules; the UID tells which schedule is meant when it comes again."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from rrcli.core.ids import is_id
from rrcli.core.inputs import check_schedule
from rrcli.core.models import Schedule, ScheduleState
from rrcli.errors import FieldError, InvalidInput
from rrcli.operations import declared, rules, schedule_fields, schedules
from rrcli.operations.apply import Action, Step, Writer
from rrcli.operations.context import Context
from rrcli.operations.ics_read import Repeating, read
from rrcli.operations.ics_write import DOMAIN, UID_TAG, uid_of

_LONGEST_TAG = 64
_NAME_LENGTH = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """What a file would do: the steps, and how many of its events are over or cancelled already."""

    steps: tuple[Step, ...]
    over: int


def plan(
    context: Context, text: str, given: Mapping[str, Any], writer: Writer, *, timezone: str | None = None
) -> Import:
    """The steps that bring schedules in line with the events of the file.

    `given` are fields of all of them; a schedule that is there already keeps the others. Raises InvalidInput.
    """
    now = context.now()
    events = read(text, timezone=timezone, now=now)
    errors: list[FieldError] = []
    steps: list[Step] = []
    over = 0
    for event in events:
        try:
            found = list(_steps(context, event, given, writer, now))
        except InvalidInput as error:
            errors += [replace(each, field=f"event {event.name}: {each.field}") for each in error.fields]
            continue
        steps += found
        over += not found
    if errors:
        urls = all(each.field.endswith("callback_url") for each in errors)
        raise InvalidInput(errors, hint="Say what they call: --callback-url URL" if urls else None)
    return Import(steps=tuple(steps), over=over)


def tag_of(uid: str) -> str:
    """The tag that keeps the UID; a hash of one that cannot be a tag."""
    tag = f"{UID_TAG}{uid}"
    if len(tag) <= _LONGEST_TAG and not re.search(r"[\s,\x00-\x1f\x7f-\x9f]", uid):
        return tag
    return f"{UID_TAG}{blake2b(uid.encode(), digest_size=16).hexdigest()}"


def _steps(
    context: Context, event: Repeating, given: Mapping[str, Any], writer: Writer, now: datetime
) -> Iterator[Step]:
    """One step; none for what is over or cancelled and no schedule yet."""
    tag = tag_of(event.uid)
    stored = _stored(context, event.uid, tag)
    recurrence = rules.accept(event.rrule, event.timezone, anchor=now)
    if stored is None and (event.cancelled or recurrence.after(now, inclusive=True) is None):
        return
    timing = {"name": event.name[:_NAME_LENGTH], "rrule": event.rrule, "timezone": event.timezone}
    tags = given.get("tags", () if stored is None else stored.tags)
    exported = stored is not None and event.uid == uid_of(stored)
    fields = {**given, **timing, "tags": list(dict.fromkeys([*tags, *([] if exported else [tag])]))}
    if stored is None:
        yield _creation(context, event, fields, now)
    else:
        yield _change(stored, event, fields, writer)


def _stored(context: Context, uid: str, tag: str) -> Schedule | None:
    """The schedule that was imported under that UID, or exported under it."""
    page = context.repository.schedules.find(tag=tag, limit=1)
    if page.items:
        return page.items[0]
    id_, _, domain = uid.partition("@")
    return context.repository.schedules.get([id_]).get(id_) if domain == DOMAIN and is_id(id_) else None


def _creation(context: Context, event: Repeating, fields: Mapping[str, Any], now: datetime) -> Step:
    values = check_schedule(fields, partial=False)
    schedule_fields.require_calendars(context, values)
    whole = declared.whole(values, context.settings)
    wanted = schedules.new_schedule(context.settings, whole, now, schedule_id="0" * 24)
    return Step(action=Action.CREATE, name=event.name, wanted=wanted, data=whole)


def _change(stored: Schedule, event: Repeating, fields: Mapping[str, Any], writer: Writer) -> Step:
    stored = writer.revealed(stored)
    values = check_schedule(fields, partial=True)
    recurrence = rules.changed(stored, values)
    wanted = replace(stored, **schedule_fields.field_changes(stored, values), rrule=recurrence.text)
    if event.cancelled and stored.state is ScheduleState.ACTIVE:
        wanted = replace(wanted, state=ScheduleState.PAUSED)
    data = declared.differing(stored, wanted, values)
    same = not data and wanted.state is stored.state
    action = Action.KEEP if same else Action.CHANGE
    return Step(action=action, name=event.name, stored=stored, wanted=wanted, data=data)
