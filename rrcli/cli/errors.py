"""Errors as people and scripts meet them: one sentence, a hint, an exit code; JSON with `-o json`."""

import json
import re
from collections.abc import Sequence
from typing import Any

import click

from rrcli import errors as domain
from rrcli.cli.exit_codes import ExitCode
from rrcli.cli.state import State
from rrcli.cli.text import count, safe, safe_json, shorten

_CODES: tuple[tuple[type[Exception], ExitCode], ...] = (
    (click.Abort, ExitCode.INTERRUPTED),
    (click.UsageError, ExitCode.USAGE),
    (domain.StoreNeeded, ExitCode.USAGE),
    (domain.NotFound, ExitCode.NOT_FOUND),
    (domain.InvalidInput, ExitCode.INVALID_INPUT),
    (domain.InvalidRule, ExitCode.INVALID_INPUT),
    (domain.InvalidSettings, ExitCode.INVALID_INPUT),
    (domain.MalformedRequest, ExitCode.INVALID_INPUT),
    (domain.StoreUnavailable, ExitCode.STORE_UNREACHABLE),
    (domain.Conflict, ExitCode.CONFLICT),
)

_OPTIONS = {
    "at": "--at",
    "after": "--after",
    "before": "--before",
    "body": "--body",
    "callback_url": "--callback-url",
    "cron": "--cron",
    "dtstart": "--dtstart",
    "every": "--every",
    "from": "--from",
    "headers": "-H/--header",
    "jitter_seconds": "--jitter",
    "limit": "--limit",
    "max_retries": "--max-retries",
    "method": "--method",
    "misfire.grace_seconds": "--misfire-grace",
    "misfire.policy": "--misfire",
    "misfire.window_seconds": "--misfire-window",
    "name": "--name",
    "overlap": "--overlap",
    "retry.base_seconds": "--retry-base",
    "retry.cap_seconds": "--retry-cap",
    "retry.factor": "--retry-factor",
    "reason": "--reason",
    "rrule": "--rrule",
    "secrets": "--secret",
    "tags": "--tag",
    "timeout_seconds": "--timeout",
    "timezone": "--timezone",
    "to": "--to",
}
"""Fields of a request -> the options that set them; people mend what they typed."""


def exit_code(error: Exception) -> ExitCode:
    """The exit code that stands for an exception."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED)


def report(error: Exception, state: State, arguments: Sequence[str]) -> ExitCode:
    """Tell the error on stderr and answer its exit code."""
    code = exit_code(error)
    if code is ExitCode.INTERRUPTED:
        return code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.message, err=True)
        return code
    from rrcli.log import redact

    if state.verbose:
        click.echo(redact(_trace(error)), err=True, nl=False)
    told = _described(error, arguments)
    told["message"] = redact(told["message"])
    as_json = state.output in ("json", "jsonl") or _asks_for_json(arguments)
    text = safe_json(json.dumps({"error": told}, ensure_ascii=False)) if as_json else _sentence(told, state)
    click.echo(text, err=True, color=None if state.wants_colour else False)
    return code


def _trace(error: Exception) -> str:
    import traceback

    return "".join(traceback.format_exception(error))


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether `-o json` stands on a line that could not be parsed up to it."""
    return re.search(r"(^|\s)(-o\s?|--output[\s=])json", " ".join(arguments)) is not None


def _described(error: Exception, arguments: Sequence[str]) -> dict[str, Any]:
    """The error in the REST shape: code, message, and where there are any hint and details."""
    if isinstance(error, domain.SchedulerError):
        told: dict[str, Any] = {"code": error.code, "message": shorten(error.message, _LONGEST)}
        hint = error.hint or _HINTS.get(type(error))
        if isinstance(error, domain.InvalidSettings) and hint and "config show" in hint:
            hint = _SETTINGS_HINT
        if isinstance(error, domain.InvalidInput):
            told["details"] = [
                {"field": each.field, "message": _without_field(each)} for each in error.fields
            ]
    elif isinstance(error, click.UsageError):
        told = {"code": "usage", "message": _usage(error)}
        where = error.ctx.command_path if error.ctx else _command_path(arguments)
        hint = f"{where} --help shows what there is."
    elif isinstance(error, OSError) and error.strerror:
        what = f"{error.filename}: " if error.filename else "What there is to print cannot be written: "
        told, hint = {"code": "failed", "message": f"{what}{error.strerror}."}, None
    elif isinstance(error, click.ClickException | OSError):
        told, hint = {"code": "failed", "message": str(error)}, None
    else:
        told = {"code": "internal_error", "message": f"internal error: {type(error).__name__}: {error}"}
        hint = "Run it again with -v for the trace."
    return told | ({"hint": hint} if hint else {})


def _command_path(arguments: Sequence[str]) -> str:
    """The command that a line names, as far as it can be read."""
    from rrcli.cli.main import cli

    found: click.Command | None = cli
    words = ["rrcli"]
    for word in arguments:
        found = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
        if found is None:
            break
        words.append(word)
    return " ".join(words)


def _usage(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        from rrcli.cli.suggest import for_option

        return for_option(error)
    return error.format_message()


_SETTINGS_HINT = "Every key with its default and what is allowed: rrcli config init --path -"
"""Instead of the settings' own hint, which is a command that fails in the same way."""

_LONGEST = 400
"""Characters of a message that are shown: it may quote what was refused."""

_HINTS = {
    domain.StoreUnavailable: "See which store is meant, and from where: rrcli config show",
    domain.StoreCorrupt: "Was it written by a newer version? Restore it from a backup, or name another.",
}


def _without_field(error: domain.FieldError) -> str:
    from rrcli.log import redact

    return shorten(redact(error.sentence().removeprefix(f"{error.field}: ")), _LONGEST)


def _sentence(told: dict[str, Any], state: State) -> str:
    message, hint = told["message"], told.get("hint")
    details = [f"{_option(each['field'])}: {each['message']}" for each in told.get("details", ())]
    if details:
        message = details[0] if len(details) == 1 else f"{count(len(details), 'value')} refused:"
    lines = [safe(line) for line in message.split("\n")]
    if len(details) > 1:
        lines += [f"  {safe(line)}" for line in details]
    lines[0] = f"{click.style('Error:', fg='red', bold=True)} {lines[0]}"
    if hint:
        lines.append(f"{click.style('Hint:', fg='cyan')} {safe(hint)}")
    return "\n".join(lines)


def _option(field: str) -> str:
    """`--callback-url` for callback_url, `-H/--header X-Y` for headers.X-Y, `--tag` for tags[0]."""
    name = field.partition("[")[0]
    if name in _OPTIONS:
        return _OPTIONS[name]
    if field.startswith("headers."):
        return f"{_OPTIONS['headers']} {field.removeprefix('headers.')}"
    return field
