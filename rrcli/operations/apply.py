"""Bringing the store in line with declared schedules: what would change, and doing it.

A schedule is the same when its name is. A file says all of it: a field that it leaves out has its default.
What files do not know stays: skips, and whether it is paused where the file does not say so. A rule without
DTSTART keeps the stored one, so that applying a file twice changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from rrcli.core.ids import is_id
from rrcli.core.models import Schedule, ScheduleState
from rrcli.errors import ABSENT, Conflict, FieldError, InvalidInput, SchedulerError
from rrcli.log import is_masked
from rrcli.operations import declared, rules, schedule_fields, schedules
from rrcli.operations.context import Context
from rrcli.operations.declared import Fields
from rrcli.operations.manifest import Declared

_AT_ONCE = 1000


class Action(StrEnum):
    """What becomes of a schedule."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    KEEP = "keep"


class Writer(Protocol):
    """What carries out a plan: the operations, on a store or on a service elsewhere."""

    def create(self, data: Fields) -> Schedule: ...

    def update(self, schedule_id: str, data: Fields, *, expected_revision: int | None = None) -> Schedule: ...

    def pause(self, schedule_id: str, *, expected_revision: int | None = None) -> Schedule: ...

    def resume(self, schedule_id: str, *, expected_revision: int | None = None) -> Schedule: ...

    def delete(self, schedule_id: str, *, expected_revision: int | None = None) -> None: ...

    def revealed(self, schedule: Schedule) -> Schedule:
        """The schedule with its credentials, which a service elsewhere masks else."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One schedule: as stored (None: it is new) and as wanted (None: it goes).

    `data` are the fields that differ; all of them for a new one.
    """

    action: Action
    name: str
    place: str | None = None
    stored: Schedule | None = None
    wanted: Schedule | None = None
    data: Fields

    @property
    def pauses(self) -> bool | None:
        """True or False where it is to be paused or resumed."""
        if self.wanted is None:
            return None
        before = self.stored is not None and self.stored.state is ScheduleState.PAUSED
        after = self.wanted.state is ScheduleState.PAUSED
        return after if after is not before else None


def plan(
    context: Context, wanted: Iterable[Declared], writer: Writer, *, prune: str | None = None
) -> Iterator[Step]:
    """What it takes to have the wanted schedules, and with `prune` no other one with that tag.

    Raises InvalidInput, at the end, for all values that only the store can tell to be wrong; Conflict where a
    name fits several schedules.
    """
    errors: list[FieldError] = []
    known: set[str] = set()
    for each in wanted:
        if prune is not None and prune not in each.fields.get("tags", ()):
            allowed = f"must have the tag {prune}: --prune deletes what has it and is in no file"
            tags = list(each.fields.get("tags", ())) or ABSENT
            errors.append(FieldError(field=f"{each.place}: {each.name}: tags", value=tags, allowed=allowed))
        try:
            step = _step(context, each, writer)
            known |= {step.stored.id} if step.stored else set()
            yield step
        except InvalidInput as error:
            errors += [
                replace(problem, field=f"{each.place}: {each.name}: {problem.field}")
                for problem in error.fields
            ]
    if errors:
        raise InvalidInput(errors)
    if prune is not None:
        yield from _surplus(context, prune, known)


def carry_out(writer: Writer, steps: Iterable[Step]) -> Iterator[tuple[Step, SchedulerError | None]]:
    """Do the steps, one after the other; with each, why it failed, if it did. The others go on."""
    for step in steps:
        try:
            _do(writer, step)
        except SchedulerError as error:
            yield step, error
        else:
            yield step, None


def _do(writer: Writer, step: Step) -> None:
    done = step.stored
    if step.action is Action.KEEP:
        return
    if step.action is Action.DELETE:
        assert done is not None
        writer.delete(done.id, expected_revision=done.revision)
        return
    if done is None:
        done = writer.create(step.data)
    elif step.data:
        done = writer.update(done.id, step.data, expected_revision=done.revision)
    if step.pauses:
        writer.pause(done.id, expected_revision=done.revision)
    elif step.pauses is False:
        writer.resume(done.id, expected_revision=done.revision)


def _step(context: Context, each: Declared, writer: Writer) -> Step:
    schedule_fields.require_calendars(context, each.fields)
    fields = declared.whole(each.fields, context.settings)
    stored = _named(context, each.name)
    if stored is None:
        made = schedules.new_schedule(context.settings, fields, context.now(), schedule_id="0" * 24)
        wanted = _in_state(made, each.paused)
        return Step(action=Action.CREATE, name=each.name, place=each.place, wanted=wanted, data=fields)
    if stored.headers or stored.secrets or is_masked(stored.callback_url):
        stored = writer.revealed(stored)
    wanted = _in_state(_changed(stored, fields), each.paused)
    data = declared.differing(stored, wanted, fields)
    same = not data and wanted.state is stored.state
    return Step(
        action=Action.KEEP if same else Action.CHANGE,
        name=each.name,
        place=each.place,
        stored=stored,
        wanted=wanted,
        data=data,
    )


def _changed(stored: Schedule, fields: Fields) -> Schedule:
    """The stored schedule with the fields of the file."""
    changed = replace(stored, **schedule_fields.field_changes(stored, fields))
    recurrence = rules.changed(stored, fields)
    if recurrence.text == stored.rrule and changed.timezone == stored.timezone:
        return changed
    state = stored.state if stored.state is ScheduleState.PAUSED else ScheduleState.ACTIVE
    return replace(changed, rrule=recurrence.text, state=state)


def _in_state(schedule: Schedule, paused: bool | None) -> Schedule:
    """As the file wants it; a completed one has nothing to pause."""
    if paused is None or schedule.state is ScheduleState.COMPLETED:
        return schedule
    return replace(schedule, state=ScheduleState.PAUSED if paused else ScheduleState.ACTIVE)


def _named(context: Context, name: str) -> Schedule | None:
    """The schedule of that name. Raises Conflict when there are several."""
    found = [each for each in context.repository.schedules.resolve(name) if each.name == name]
    if not found and is_id(name):  # then it was looked for as an id
        page = context.repository.schedules.find(name=name, limit=_AT_ONCE)
        found = [each for each in page.items if each.name == name]
    if len(found) > 1:
        several = ", ".join(each.id for each in found)
        raise Conflict(
            f"Several schedules have the name {name!r}: {several}.",
            hint="Give all but one of them another name: rrcli schedule update ID --name NAME",
        )
    return found[0] if found else None


def _surplus(context: Context, tag: str, kept: set[str]) -> Iterator[Step]:
    for each in all_schedules(context, tag=tag):
        if each.id not in kept:
            yield Step(action=Action.DELETE, name=each.name, stored=each, data={})


def all_schedules(context: Context, *, tag: str | None = None) -> list[Schedule]:
    """All schedules by name, so that two exports can be compared; of one tag, where one is given."""
    found: list[Schedule] = []
    while True:
        page = context.repository.schedules.find(tag=tag, limit=_AT_ONCE, offset=len(found))
        found += page.items
        if len(page.items) < _AT_ONCE:
            return sorted(found, key=lambda each: (each.name, each.id))


def require_names_apart(found: Iterable[Schedule]) -> None:
    """Raises Conflict when a file of these could not be applied: names are what tells schedules apart."""
    twice = [name for name, number in Counter(each.name for each in found).items() if number > 1]
    if twice:
        several = ", ".join(repr(name) for name in twice[:5])
        raise Conflict(
            f"Several schedules have the same name: {several}.",
            hint="Files tell schedules apart by name; rename them: rrcli schedule update ID --name NAME",
        )
