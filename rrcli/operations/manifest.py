"""Schedules declared in YAML files: read, checked, and every mistake told at once with its file and line.

A file holds `schedules:`, a list of mappings with the fields of the API, and may hold `defaults:`, which
count for each of them; a bare list, one bare mapping and several documents are read, too. Beside the API's
fields there are `cron` and `every`, either of them instead of `rrule`, and `paused`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rrcli.core.cron import rules_of_cron
from rrcli.core.every import rule_of_interval
from rrcli.core.fields import Boolean, did_you_mean, nameable
from rrcli.core.inputs import MASK, SCHEDULE_FIELDS, check_schedule
from rrcli.errors import FieldError, InvalidInput
from rrcli.operations import rules
from rrcli.operations.manifest_yaml import Node, documents

_TRANSLATED = {"cron": rules_of_cron, "every": rule_of_interval}
_OWN = (*_TRANSLATED, "paused")
_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """One schedule of a file: `fields` are checked, fit for `operations.schedules.create`.

    `paused` is None where the file says nothing about it. `place` is `file:line`.
    """

    place: str
    fields: Mapping[str, Any]
    paused: bool | None = None

    @property
    def name(self) -> str:
        return str(self.fields["name"])


@dataclass(frozen=True, slots=True)
class _Reading:
    """What reading needs to know, and the mistakes that it has found."""

    now: datetime
    environment: Mapping[str, str]
    errors: list[FieldError] = field(default_factory=list)


def read(
    sources: Iterable[tuple[str, str]], *, now: datetime, environment: Mapping[str, str]
) -> list[Declared]:
    """The schedules of the sources, (name, text) each, in their order; names are unique among them.

    `${NAME}` in secrets, header values and the callback URL is the environment's NAME, `$${` a plain `${`.
    Raises InvalidInput with all mistakes of all sources.
    """
    reading = _Reading(now, environment)
    found = [each for name, text in sources for each in _of_source(name, text, reading)]
    places: dict[str, str] = {}
    for each in found:
        first = places.setdefault(each.name, each.place)
        if first != each.place:
            allowed = f"must be unique: it stands in {first}, too"
            reading.errors.append(FieldError(field=f"{each.place}: name", value=each.name, allowed=allowed))
    if reading.errors:
        raise InvalidInput(reading.errors)
    return found


def _of_source(source: str, text: str, reading: _Reading) -> Iterator[Declared]:
    for document in documents(source, text, reading.errors):
        yield from _of_document(document, reading)


def _of_document(document: Node, reading: _Reading) -> Iterator[Declared]:
    defaults = None
    items = [document]
    if document.is_mapping and {"schedules", "defaults"} & document.value.keys():
        defaults = document.child("defaults")
        if defaults is not None and not defaults.is_mapping:
            _refuse(reading, defaults, "defaults", "must be a mapping of fields")
            defaults = None
        for name in document.value.keys() - {"schedules", "defaults"}:
            allowed = "is not known here; a file has schedules and defaults"
            _refuse(reading, document.child(name) or document, str(name), allowed)
        listed = document.child("schedules")
        items = [listed] if listed is not None else []
    for item in items:
        if isinstance(item.value, list):
            for each in item.items():
                yield from _schedule(each, defaults, reading)
        elif item.value is not None:
            yield from _schedule(item, defaults, reading)


def _schedule(node: Node, defaults: Node | None, reading: _Reading) -> Iterator[Declared]:
    """The schedule that a mapping declares; nothing, and its mistakes noted, when it is wrong."""
    if not node.is_mapping:
        _refuse(reading, node, "schedules", "must hold mappings, each with name, callback_url and a rule")
        return
    data = {**(defaults.value if defaults else {}), **node.value}
    found: list[FieldError] = []
    paused = _own_fields(data, found)
    values = _checked(_substituted(data, reading.environment, found), reading.now, found)
    for each in found:
        line = node.line_of(each.field) or (defaults and defaults.line_of(each.field)) or node.line
        named = f"{nameable(data['name'])}: " if isinstance(data.get("name"), str) else ""
        field = f"{node.source}:{line}: {named}{each.field}"
        reading.errors.append(FieldError(field=field, value=each.value, allowed=each.allowed))
    if not found:
        yield Declared(place=node.place, fields=values, paused=paused)


def _checked(data: Mapping[str, Any], now: datetime, errors: list[FieldError]) -> dict[str, Any]:
    """The fields as `check_schedule` has them; the rule is looked at even where others are wrong."""
    known = {error.field for error in errors}
    values: dict[str, Any] = {}
    with _noted(errors, known):
        values = check_schedule(data, partial=False)
    rule, zone = data.get("rrule"), data.get("timezone")
    if isinstance(rule, str) and isinstance(zone, str | None) and not known & {"cron", "every"}:
        with _noted(errors, known | {error.field for error in errors}):
            rules.accept(rule, zone, anchor=rules.next_second(now))
    return values


@contextmanager
def _noted(errors: list[FieldError], known: Collection[str]) -> Iterator[None]:
    """Note what is refused, of fields of which nothing is said yet."""
    try:
        yield
    except InvalidInput as error:
        errors += [each for each in error.fields if each.field not in known]


def _own_fields(data: dict[str, Any], errors: list[FieldError]) -> bool | None:
    """Take out what only files have: `cron` or `every` becomes `rrule`; `paused` is answered."""
    given = [name for name in ("rrule", *_TRANSLATED) if name in data]
    if len(given) > 1:
        told = FieldError(field=given[1], value=data[given[1]], allowed=f"must not stand beside {given[0]}")
        errors.append(told)
    for name, translate in _TRANSLATED.items():
        if name not in data:
            continue
        text = data.pop(name)
        # Refused or not, the rule is not missing.
        data.setdefault("rrule", "FREQ=DAILY")
        if not isinstance(text, str):
            errors.append(FieldError(field=name, value=text, allowed="must be text; put it in quotes"))
            continue
        try:
            data["rrule"] = translate(text)
        except InvalidInput as error:
            errors += error.fields
    for name in [each for each in data if each not in SCHEDULE_FIELDS and did_you_mean(str(each), _OWN)]:
        if name not in _OWN:
            near = did_you_mean(str(name), _OWN)
            value = data.pop(name)
            errors.append(
                FieldError(field=str(name), value=value, allowed=f"is not a field; {near} is known")
            )
    paused = data.pop("paused", None)
    if paused is not None:
        Boolean()(paused, "paused", errors)
    return paused if isinstance(paused, bool) else None


def _substituted(
    data: Mapping[str, Any], environment: Mapping[str, str], errors: list[FieldError]
) -> dict[str, Any]:
    """The fields, with the variables of those that hold credentials put in."""

    def put_in(value: Any, path: str) -> Any:
        if not isinstance(value, str):
            return value
        for name in _VARIABLE.findall(value):
            if name and name not in environment:
                allowed = f"needs the environment variable {name}, which is not set"
                errors.append(FieldError(field=path, value=MASK, allowed=allowed))
        return _VARIABLE.sub(lambda found: environment.get(found[1], found[0]) if found[1] else "${", value)

    changed = dict(data)
    if isinstance(data.get("headers"), Mapping):
        changed["headers"] = {name: put_in(each, f"headers.{name}") for name, each in data["headers"].items()}
    if isinstance(data.get("secrets"), list):
        changed["secrets"] = [put_in(each, f"secrets[{index}]") for index, each in enumerate(data["secrets"])]
    if "callback_url" in data:
        changed["callback_url"] = put_in(data["callback_url"], "callback_url")
    return changed


def escaped(text: str) -> str:
    """The text as a file has to say it, so that no variable is put in."""
    return text.replace("${", "$${")


def _refuse(reading: _Reading, node: Node, what: str, allowed: str) -> None:
    shown = node.value if isinstance(node.value, int | float | bool) else None
    reading.errors.append(FieldError(field=f"{node.place}: {what}", value=shown, allowed=allowed))
