"""A plan of `rrcli apply` as people and scripts read it; credentials are never in it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from rrcli.cli import schedule_tables, times
from rrcli.cli.output import Json
from rrcli.cli.state import State
from rrcli.cli.tables import title
from rrcli.cli.text import safe, shorten, wrap
from rrcli.core.timefmt import format_instant
from rrcli.log import redact
from rrcli.operations.apply import Action, Step
from rrcli.operations.declared import NESTED, changed_names, fields_of
from rrcli.operations.shift import AHEAD, Shift, shift

_SIGNS = {Action.CREATE: ("+", "green"), Action.CHANGE: ("~", "yellow"), Action.DELETE: ("-", "red")}
_LISTED = 3
_LONGEST_VALUE = 120


def views(state: State, steps: Sequence[Step]) -> list[Json]:
    """One record for each schedule."""
    return [_view(state, step) for step in steps]


def page(state: State, steps: Sequence[Step]) -> str:
    """What changes, and how many there are of each kind."""
    lines = [line for step in steps if step.action is not Action.KEEP for line in _lines(state, step)]
    return "\n".join([*lines, *([""] if lines else []), _sum(steps)])


def _sum(steps: Sequence[Step]) -> str:
    numbers = {action: sum(step.action is action for step in steps) for action in Action}
    told = [f"{numbers[action]:,} to {action}" for action in _SIGNS if numbers[action]]
    return f"{', '.join(told) or 'Nothing to do'}; {numbers[Action.KEEP]:,} unchanged."


def _view(state: State, step: Step) -> Json:
    kept = step.action is Action.KEEP
    found = shift(state.context(), step.stored, step.wanted, state.now()) if not kept else None
    return {
        "name": step.name,
        "action": step.action,
        "id": step.stored.id if step.stored else None,
        "place": step.place,
        "fields": [{"field": name, "old": old, "new": new} for name, old, new in _changes(step)],
        "paused": step.pauses,
        "occurrences": {
            "until": format_instant(found.until),
            "appear": [format_instant(each) for each in found.appear],
            "vanish": [format_instant(each) for each in found.vanish],
            "move": [{"from": format_instant(one), "to": format_instant(other)} for one, other in found.move],
        }
        if found is not None
        else None,
    }


def _lines(state: State, step: Step) -> Iterator[str]:
    sign, colour = _SIGNS[step.action]
    place = click.style(f"  {safe(step.place)}", dim=True) if step.place else ""
    yield f"{click.style(f'{sign} {step.action}', fg=colour)} {title(safe(step.name))}{place}"
    told = [f"{name}: {_arrow(old, new)}" for name, old, new in _changes(step)]
    if step.action is Action.CREATE and step.wanted:
        told.append(f"runs {schedule_tables.rule(step.wanted)}")
    if step.pauses is not None:
        told.append("is paused" if step.pauses else "is resumed")
    told += _occurrences(state, step)
    for each in told:
        first, *rest = wrap(safe(each), state.width and state.width - 4)
        yield f"    {first}"
        yield from (f"      {line}" for line in rest)


def _arrow(old: str | None, new: str | None) -> str:
    if old is None or new is None:
        return f"{new} (new)" if old is None else f"{old} (removed)"
    return "changed" if old == new else f"{old} → {new}"


def _changes(step: Step) -> Iterator[tuple[str, str | None, str | None]]:
    """Field, old and new value, of a schedule that is changed; equal texts stand for what is not shown."""
    if step.action is not Action.CHANGE or step.stored is None or step.wanted is None:
        return
    old, new = fields_of(step.stored), fields_of(step.wanted)
    changed = changed_names(step.stored, step.wanted)
    for name in (each for each in old if each in changed):
        if name == "rrule":
            yield (name, *_rules(old[name], new[name]))
        elif name in (*NESTED, "headers"):
            yield from _inner(name, old[name], new[name], hidden=name == "headers")
        elif name == "secrets":
            yield name, f"{len(old[name])} hidden", f"{len(new[name])} hidden"
        else:
            yield name, _shown(old[name]), _shown(new[name])


def _inner(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], *, hidden: bool
) -> Iterator[tuple[str, str | None, str | None]]:
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            texts = ["hidden" if hidden else _shown(each.get(key)) for each in (old, new)]
            yield f"{name}.{key}", texts[0] if key in old else None, texts[1] if key in new else None


def _rules(old: str, new: str) -> tuple[str, str]:
    """The lines that differ; the others would only be in the way."""
    before, after = old.split("\n"), new.split("\n")
    gone = " ".join(line.removeprefix("RRULE:") for line in before if line not in after)
    come = " ".join(line.removeprefix("RRULE:") for line in after if line not in before)
    return _shown(gone), _shown(come)


def _shown(value: Any) -> str:
    if value is None or value in ("", [], ()):
        return "none"
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return shorten(redact(str(value)), _LONGEST_VALUE)


def _occurrences(state: State, step: Step) -> Iterator[str]:
    now = state.now()
    found = shift(state.context(), step.stored, step.wanted, now)
    if not found:
        if step.action is Action.CHANGE:
            yield f"the next {AHEAD.days} days stay as they are"
        return
    cut = found.until < now + AHEAD
    span = f"until {times.absolute(found.until, state.tz, seconds=False)}" if cut else f"{AHEAD.days} days"
    yield f"{span}: {_told(state, found)}"


def _told(state: State, found: Shift) -> str:
    def at(instant: datetime) -> str:
        return times.absolute(instant, state.tz, seconds=False)

    parts = [
        (len(found.move), "move", [f"{at(one)} → {at(other)}" for one, other in found.move[:_LISTED]]),
        (len(found.appear), "appear", [at(each) for each in found.appear[:_LISTED]]),
        (len(found.vanish), "vanish", [at(each) for each in found.vanish[:_LISTED]]),
    ]
    return "; ".join(
        f"{number:,} {what}: {', '.join(listed)}{', …' if number > _LISTED else ''}"
        for number, what, listed in parts
        if number
    )
