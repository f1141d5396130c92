"""The options of `schedule create` and `schedule update`, and the fields that they set."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from rrcli.cli import arguments, timing
from rrcli.cli.arguments import DURATION
from rrcli.cli.choice import ZONE, Choice

F = TypeVar("F", bound=Callable[..., Any])

_PLAIN = {
    "name": "name",
    "timezone": "timezone",
    "callback_url": "callback_url",
    "method": "method",
    "timeout": "timeout_seconds",
    "max_retries": "max_retries",
    "overlap": "overlap",
    "jitter": "jitter_seconds",
    "auto_pause_after": "auto_pause_after",
    "follow_redirects": "follow_redirects",
}
"""Options whose value is the field's value."""

_NESTED = {
    "retry_base": ("retry", "base_seconds"),
    "retry_factor": ("retry", "factor"),
    "retry_cap": ("retry", "cap_seconds"),
    "misfire": ("misfire", "policy"),
    "misfire_grace": ("misfire", "grace_seconds"),
    "misfire_window": ("misfire", "window_seconds"),
}

_LISTS = {"tag": "tags", "secret": "secrets", "exclude_calendar": "exclude_calendars"}
"""Options that may be repeated."""

_CLEARED = ("timezone", "method")
"""Fields that an empty value takes back to "not set"."""


def schedule_options(*, required: bool) -> Callable[[F], F]:
    """Decorator: all options that set a field; `required` for a new schedule."""

    def decorate(function: F) -> F:
        for option in reversed(_options(required)):
            function = option(function)
        return function

    return decorate


def _options(required: bool) -> list[Callable[[F], F]]:
    return [
        click.option("--name", required=required, help="Name, for people; need not be unique."),
        click.option(
            "--rrule", metavar="RULE", help="RFC 5545 rule, or DTSTART/RRULE lines; @FILE or - reads it."
        ),
        *timing.OPTIONS,
        click.option("--at", metavar="TIME", help="Run once, then: 2027-03-01T08:30:00Z, or +10m."),
        click.option("--dtstart", metavar="TIME", help="First occurrence; now unless given."),
        click.option(
            "--timezone", type=ZONE, metavar="ZONE", help="IANA zone that the rule is on; else UTC."
        ),
        click.option("--callback-url", metavar="URL", required=required, help="What to call."),
        click.option("--method", help="HTTP method; POST with a body and GET without, unless given."),
        click.option("-H", "--header", multiple=True, metavar="'NAME: VALUE'", help="Header; repeatable."),
        click.option("--body", metavar="TEXT", help="Request body; @FILE or - reads it."),
        click.option("--timeout", type=DURATION, metavar="SPAN", help="Longest a call may take: 30, 2m."),
        click.option("--max-retries", type=int, metavar="N", help="Retries after the first attempt."),
        click.option("--retry-base", type=DURATION, metavar="SPAN", help="Wait before the first retry."),
        click.option("--retry-factor", type=float, metavar="X", help="What each wait is multiplied by."),
        click.option("--retry-cap", type=DURATION, metavar="SPAN", help="Longest wait between attempts."),
        click.option(
            "--misfire",
            type=Choice(("all", "latest", "skip")),
            help="Which of the occurrences that come up late still run.",
        ),
        click.option("--misfire-grace", type=DURATION, metavar="SPAN", help="Up to this late is on time."),
        click.option("--misfire-window", type=DURATION, metavar="SPAN", help="Later than this never runs."),
        click.option(
            "--overlap",
            type=Choice(("allow", "skip", "queue")),
            help="When the run before has not ended.",
        ),
        click.option("--jitter", type=DURATION, metavar="SPAN", help="Spread calls over this long."),
        click.option(
            "--auto-pause-after", type=int, metavar="N", help="Pause after N failures in a row; 0: never."
        ),
        click.option(
            "--exclude-calendar",
            type=arguments.WORD,
            multiple=True,
            metavar="NAME",
            help="Not on its holidays; repeatable.",
        ),
        click.option("--tag", multiple=True, metavar="WORD", help="Tag to find it by; repeatable."),
        click.option("--secret", multiple=True, metavar="whsec_…", help="Signing secret; repeatable."),
        click.option(
            "--follow-redirects/--no-follow-redirects",
            default=None,
            help="Follow 3xx answers.",
        ),
    ]


def fields_of(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that were given, as operations take them; the rule is left to `rule_of`."""
    data = {field: options[name] for name, field in _PLAIN.items() if options[name] is not None}
    data |= {name: None for name in _CLEARED if data.get(name) == ""}
    for name, (field, key) in _NESTED.items():
        if options[name] is not None:
            data.setdefault(field, {})[key] = options[name]
    if options["body"] is not None:
        data["body"] = arguments.read_text(options["body"], "--body")
    for name, field in _LISTS.items():
        if options[name]:
            data[field] = arguments.words(options[name])
    if options["header"]:
        data["headers"] = arguments.headers(options["header"])
    return data


def rule_of(options: dict[str, Any], now: datetime, *, stored: str | None = None) -> str | None:
    """The rule that the options make; None when they say nothing about it.

    `stored` is the present rule of a schedule that is changed: --dtstart alone moves its beginning.
    """
    rule, at, dtstart = options["rrule"], options["at"], options["dtstart"]
    timing.require_one(options)
    if at is not None:
        if dtstart is not None:
            raise click.UsageError("--at runs once; it does not go with --dtstart.")
        return arguments.once(at, options["timezone"], now)
    if rule == "-" == options["body"]:
        raise click.UsageError("Only one of --rrule and --body can be read from stdin.")
    text = timing.text_of(options)
    if dtstart is None:
        return text
    if text is None and stored is None:
        raise click.UsageError("--dtstart needs --rrule, --cron or --every.")
    base = text if text is not None else arguments.without_dtstart(stored or "")
    return arguments.with_dtstart(base, dtstart, options["timezone"], now)
