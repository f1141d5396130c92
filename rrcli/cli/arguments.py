"""What people type, as the values that operations take."""

import re
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from rrcli.cli import times
from rrcli.cli.choice import FILE
from rrcli.errors import FieldError, InvalidInput

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_READ_LIMIT = 1_100_000
"""Characters read from a file or stdin: more than any field may hold, so its own check refuses them."""

_PROPERTY = re.compile(r"\s*(BEGIN|DTSTART|RRULE|RDATE|EXRULE|EXDATE)\s*[;:]", re.IGNORECASE)


class Duration(click.ParamType[float]):
    """Seconds, as `30`, `1.5`, `10m` or `1h30m`."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = times.seconds_of(str(value))
        if found is None:
            self.fail(f"{value!r} is not a length of time; write 30, 1.5, 10m or 1h30m.", param, ctx)
        return found


class Utf8(click.ParamType[str]):
    """Text that a store can hold and that is not empty: `delete "$UNSET"` must not mean any schedule."""

    name = "text"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        try:
            usable = bool(text.encode())
        except UnicodeEncodeError:
            usable = False
        if not usable:
            self.fail("It is empty, or not UTF-8.", param, ctx)
        return text

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """What the store has, by the name of the parameter."""
        from rrcli.cli.complete import offer
        from rrcli.cli.state import State

        return offer(str(param.name), incomplete, ctx.find_object(State) or State())


class Word(Utf8):
    """As Utf8, where an empty value means "none"."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(value, param, ctx) if value != "" else ""


class Path(Utf8):
    """The path of a file, or - for stdin."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """Files, which the shell knows best."""
        return FILE.shell_complete(ctx, param, incomplete)


DURATION = Duration()
UTF8 = Utf8()
PATH = Path()
WORD = Word()
PAGE = click.IntRange(1, 1_000_000_000)


def read_text(value: str, option: str) -> str:
    """The value itself; the content of a file for `@FILE`, of stdin for `-`."""
    if value != "-" and not value.startswith("@"):
        return value
    try:
        if value == "-":
            data = sys.stdin.buffer.read(4 * _READ_LIMIT)
        else:
            with open(value[1:], "rb") as file:
                data = file.read(4 * _READ_LIMIT)
        return data.decode("utf-8")
    except OSError as error:
        raise click.BadParameter(f"{value[1:]}: {error.strerror}.", param_hint=option) from error
    except UnicodeDecodeError as error:
        problem = FieldError(field=option, value=value, allowed="must be text in UTF-8")
        raise InvalidInput([problem]) from error


def rule_text(value: str) -> str:
    r"""The rule of `--rrule`: as given, from a file, from stdin; `\n` in a shell's quotes is a line break."""
    return read_text(value, "--rrule").strip().replace("\\n", "\n")


def with_dtstart(rule: str, dtstart: str, timezone: str | None, now: datetime) -> str:
    """The rule text with its DTSTART: on the wall clock of `timezone`, else in UTC."""
    if re.search(r"^\s*DTSTART\b", rule, re.IGNORECASE | re.MULTILINE):
        raise click.UsageError("The rule has a DTSTART of its own; leave --dtstart out.")
    lines = rule if _PROPERTY.match(rule) else f"RRULE:{rule}"
    return f"DTSTART:{_ical(dtstart, 'dtstart', timezone, now)}\n{lines}"


def without_dtstart(rule: str) -> str:
    """The lines of a stored rule other than its DTSTART."""
    return "\n".join(line for line in rule.split("\n") if not line.upper().startswith("DTSTART"))


def is_utc(rule: str) -> bool:
    """Whether the rule text says itself that it is in UTC; then no time zone goes with it."""
    return re.match(r"DTSTART:\d{8}T\d{6}Z\n", rule) is not None


def once(at: str, timezone: str | None, now: datetime) -> str:
    """The rule of `--at`: one occurrence, in the future. Raises InvalidInput.

    It is on the wall clock of `timezone`, except in the hour that comes twice: its second run has no name
    there, so the rule is in UTC.
    """
    instant = _instant(at, "at", timezone, now)
    if instant < now:
        problem = FieldError(field="at", value=at, allowed="must lie in the future")
        raise InvalidInput([problem])
    start = f"{instant:%Y%m%dT%H%M%S}Z"
    if timezone and not (local := instant.astimezone(_zone(timezone))).fold:
        start = f"{local:%Y%m%dT%H%M%S}"
    return f"DTSTART:{start}\nRRULE:FREQ=DAILY;COUNT=1"


def _ical(text: str, field: str, timezone: str | None, now: datetime) -> str:
    """An iCalendar date-time: on the wall clock when it has to follow the zone's clock changes, else UTC."""
    naive = times.naive_of(text)
    if naive is None and timezone:
        naive = _instant(text, field, timezone, now).astimezone(_zone(timezone)).replace(tzinfo=None)
    if naive is not None and timezone:
        return f"{naive:%Y%m%dT%H%M%S}"
    return f"{_instant(text, field, timezone, now):%Y%m%dT%H%M%S}Z"


def _instant(text: str, field: str, timezone: str | None, now: datetime) -> datetime:
    if timezone and times.naive_of(text) is not None:
        return times.instant_on_clock(text, field=field, now=now, zone=_zone(timezone))
    try:
        return times.instant_of(text, field=field, now=now)
    except InvalidInput as error:
        raise InvalidInput(
            error.fields, hint="Add Z or an offset, or say with --timezone whose clock is meant."
        ) from error


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        problem = FieldError(field="timezone", value=timezone, allowed="must be an IANA time zone")
        raise InvalidInput([problem]) from error


def headers(lines: Sequence[str]) -> dict[str, str]:
    """`K: V` lines as a mapping."""
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.strip(" \t")
        if not colon or not name:
            raise click.BadParameter(f"{line!r} is not of the form 'Name: value'.", param_hint="-H")
        if name.lower() in map(str.lower, found):
            raise click.BadParameter(f"{name} is given twice.", param_hint="-H")
        found[name] = value.strip(" \t")
    return found


def words(values: Sequence[str]) -> list[str]:
    """A repeated option's values; one empty value means none at all."""
    return [] if list(values) == [""] else list(values)
