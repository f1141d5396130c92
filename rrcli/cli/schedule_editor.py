"""`rrcli schedule edit`: a schedule as YAML in the editor, checked when it is saved."""

import os
import sys
from collections.abc import Mapping
from tempfile import NamedTemporaryFile
from typing import Any

import click

from rrcli.cli import arguments, schedule_tables
from rrcli.cli.group import command
from rrcli.cli.output import Json, emit
from rrcli.cli.schedule_edit import hint_at_daemons, view_of
from rrcli.cli.state import State, pass_state
from rrcli.cli.text import safe
from rrcli.core.inputs import READ_ONLY
from rrcli.core.models import Schedule
from rrcli.errors import InvalidInput, SchedulerError
from rrcli.operations import schedules

EXAMPLES = """
rrcli schedule edit report
EDITOR='code --wait' rrcli schedule edit report
"""

_HEAD = """\
# Schedule {id}, revision {revision}. Save and leave to change it; leave without saving to stop.
# A line that is taken out stays as it is. Hidden values (********) that are left alone are kept.
"""


@command("edit", examples=EXAMPLES)
@click.argument("schedule", type=arguments.UTF8)
@pass_state
def edit(state: State, schedule: str) -> None:
    """Change a SCHEDULE in the editor that VISUAL or EDITOR names, as YAML.

    What is refused comes up again in the editor, the reasons as comments. It fails when somebody else has
    changed the schedule meanwhile.
    """
    found = schedules.resolve(state.context(), schedule)
    before = {name: value for name, value in view_of(state, found).items() if name not in READ_ONLY}
    changed = _edited(state, found, before)
    if changed is None:
        state.remark("Nothing was changed.")
        return
    emit(
        state,
        view_of(state, changed),
        table=lambda: schedule_tables.confirmation(state, "Updated", changed, state.now()),
    )
    hint_at_daemons(state)


def _edited(state: State, schedule: Schedule, before: Json) -> Schedule | None:
    """The schedule as it is after the editor; None when nothing was to be changed.

    Raises InvalidInput when what was refused is left as it was, and Conflict.
    """
    head = _HEAD.format(id=schedule.id, revision=schedule.revision)
    body, refused = _yaml(before), None
    while True:
        comments = head + (_as_comments(refused) if refused else "")
        text = _opened(f"{comments}\n{body}")
        given = None if text is None else _without_comments(text)
        if given is None or (refused and given == _without_comments(body)):
            if refused:
                raise InvalidInput(refused.fields, hint=_kept(body))
            return None
        body = given
        try:
            changes = {
                name: value for name, value in _read(body).items() if before.get(name, _ABSENT) != value
            }
            if not changes:
                return None
            return state.service().update(schedule.id, changes, expected_revision=schedule.revision)
        except InvalidInput as error:
            refused = error
        except SchedulerError as error:
            error.hint = f"{error.hint or ''} {_kept(body)}".strip()
            raise


class EditorFailed(SchedulerError):
    """There is no such editor, or it did not end well."""

    code = "failed"


def _opened(text: str) -> str | None:
    """What is saved in the editor; None when nothing is. Raises EditorFailed."""
    if not _has_editor() and not sys.stdin.isatty():
        raise EditorFailed(
            "There is no terminal to edit in; nothing was changed.",
            hint="Use rrcli schedule update, or name a program that edits a file: EDITOR.",
        )
    try:
        return click.edit(text, extension=".yaml")
    except UnicodeDecodeError as error:
        raise EditorFailed("What was saved is not UTF-8; nothing was changed.") from error
    except (click.ClickException, ValueError) as error:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        missing = isinstance(error.__cause__, OSError)
        what = "cannot be started" if missing or isinstance(error, ValueError) else "ended with an error"
        raise EditorFailed(
            f"The editor {editor!r} {what}; nothing was changed.",
            hint="Say which one to use: EDITOR=nano, or EDITOR='code --wait'; VISUAL goes before EDITOR.",
        ) from error


def _has_editor() -> bool:
    return bool(os.environ.get("VISUAL") or os.environ.get("EDITOR"))


def _kept(text: str) -> str:
    """Where the text is, that nobody should have to write twice."""
    with NamedTemporaryFile("w", prefix="rrcli-", suffix=".yaml", delete=False, encoding="utf-8") as file:
        file.write(text)
    return f"What was edited is kept in {file.name}."


_ABSENT = object()


def _read(text: str) -> Mapping[str, Any]:
    """The fields. Raises InvalidInput for what is no YAML, or no mapping."""
    import yaml

    from rrcli.errors import FieldError

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = FieldError(field="YAML", value=text, allowed=" ".join(str(error).split()))
        raise InvalidInput([problem]) from error
    if not isinstance(data, dict):
        raise InvalidInput([FieldError(field="YAML", value=data, allowed="must be lines of `field: value`")])
    return {str(name): value for name, value in data.items()}


def _as_comments(error: InvalidInput) -> str:
    lines = [f"# ✗ {each.field}: {each.allowed}" for each in error.fields]
    return "#\n" + "".join(f"{safe(line)}\n" for line in lines)


def _without_comments(text: str) -> str:
    """The text without the comments at its head; others may belong to a value."""
    lines = text.splitlines(keepends=True)
    while lines and (lines[0].startswith("#") or not lines[0].strip()):
        lines.pop(0)
    return "".join(lines)


def _yaml(data: Json) -> str:
    """YAML with texts of several lines as they are."""
    import json

    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    plain = json.loads(json.dumps(data))
    return str(yaml.dump(plain, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000))
