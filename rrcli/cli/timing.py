"""`--rrule`, `--cron` and `--every`: three ways to say when, one rule."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from rrcli.cli import arguments
from rrcli.cli.state import State
from rrcli.cli.text import safe

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = (
    click.option("--cron", metavar="LINE", help="Cron line: '30 8 * * 1-5', or @daily; shown as RRULE."),
    click.option("--every", metavar="SPAN", help="Interval: 30s, 15m, 2h, 1d or 2w; shown as RRULE."),
)
_WAYS = ("rrule", "cron", "every", "at")


def options(function: F) -> F:
    """Decorator: `--cron` and `--every`."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def require_one(options: Mapping[str, Any]) -> None:
    """Refuse two ways of saying when on one line."""
    given = [f"--{name}" for name in _WAYS if options.get(name) is not None]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} do not go together; give one of them.")


def text_of(options: Mapping[str, Any]) -> str | None:
    """The rule text, without --dtstart; None where none of the three is given. Raises InvalidInput."""
    if options["cron"] is not None:
        from rrcli.core.cron import rules_of_cron

        return rules_of_cron(options["cron"])
    if options["every"] is not None:
        from rrcli.core.every import rule_of_interval

        return rule_of_interval(options["every"])
    return None if options["rrule"] is None else arguments.rule_text(options["rrule"])


def show_translated(state: State, options: Mapping[str, Any], rule: str) -> None:
    """Say on stderr what --cron or --every has become."""
    if options["cron"] is None and options["every"] is None:
        return
    lines = [line.removeprefix("RRULE:") for line in rule.split("\n") if not line.startswith("DTSTART")]
    for line in lines:
        state.remark(f"{click.style('as RRULE:', dim=True)} {safe(line)}")
