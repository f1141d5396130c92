"""`rrcli schedule create` and `update`."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from rrcli.cli import arguments, schedule_tables, timing
from rrcli.cli.group import command
from rrcli.cli.output import Json, emit
from rrcli.cli.schedule_options import fields_of, rule_of, schedule_options
from rrcli.cli.state import State, pass_state
from rrcli.core.inputs import MASK
from rrcli.core.models import Schedule
from rrcli.operations import schedules as operation
from rrcli.operations.views import schedule_view

CREATE_EXAMPLES = """
rrcli schedule create --name report --callback-url https://example.org/ \\
    --rrule 'FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=8;BYMINUTE=30;BYSECOND=0' \\
    --timezone Europe/Berlin
rrcli schedule create --name digest --cron '30 8 * * MON-FRI' \\
    --timezone Europe/Berlin --callback-url https://example.org/
rrcli schedule create --name poll --every 15m \\
    --callback-url https://example.org/
rrcli schedule create --name reminder --at +10m \\
    --callback-url https://example.org/ --body '{"text": "tea is ready"}'
rrcli schedule create --name sync --rrule @rule.txt -o ids \\
    --callback-url https://example.org/ -H 'Authorization: Bearer 123'
"""

UPDATE_EXAMPLES = """
rrcli schedule update report --timezone America/New_York
rrcli schedule update report -H 'X-New: 1' -H 'X-Old:' --if-match 3
rrcli schedule update report --tag '' --method ''
"""


def if_match(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: `--if-match`, the revision that a change expects."""
    return click.option(
        "--if-match",
        type=click.IntRange(1),
        metavar="REVISION",
        help="Only if it is at this revision.",
    )(function)


@command("create", examples=CREATE_EXAMPLES)
@schedule_options(required=True)
@pass_state
def create(state: State, /, **options: Any) -> None:
    """Make a schedule, and queue what it has to do soon.

    Occurrences before now never run. --cron and --every are translated to a rule, which is shown. TIME is
    2027-03-01T08:30:00Z, or without Z on the clock of --timezone, or +10m. SPAN is seconds, or 10m, or 1h30m.
    """
    now = state.now()
    rule = rule_of(options, now)
    if rule is None:
        raise click.UsageError("Say when it runs: --rrule, --cron or --every, or --at for once.")
    timing.show_translated(state, options, rule)
    data = fields_of(options) | _rule_fields(rule, options)
    created = state.service().create(data)
    _show(state, "Created", created)
    _remark_on_namesakes(state, created)


@command("update", examples=UPDATE_EXAMPLES)
@click.argument("schedule", type=arguments.UTF8)
@schedule_options(required=False)
@if_match
@pass_state
def update(state: State, /, schedule: str, if_match: int | None, **options: Any) -> None:
    """Change a SCHEDULE; what is not given stays as it is.

    -H adds or replaces one header, and 'NAME:' removes it. --tag and --secret replace all. An empty
    --tag, --secret, --exclude-calendar, --timezone or --method clears it.
    """
    now = state.now()
    data = fields_of(options)
    # Everything that can be wrong in the arguments is told before the store is asked.
    stored = operation.resolve(state.context(), schedule)
    rule = rule_of(options | _zone(options, stored), now, stored=stored.rrule)
    if rule is not None:
        timing.show_translated(state, options, rule)
        data |= _rule_fields(rule, options)
    if "headers" in data:
        data["headers"] = _merged(stored, data["headers"])
    if not data:
        raise click.UsageError("Say what to change.")
    _show(state, "Updated", state.service().update(stored.id, data, expected_revision=if_match))


def _remark_on_namesakes(state: State, created: Schedule) -> None:
    """Names may be used twice, which is rarely meant: then only ids tell the schedules apart."""
    known = state.context().repository.schedules.resolve(created.name)
    if others := [each for each in known if each.id != created.id and each.name == created.name]:
        state.remark(
            click.style(f"There is another one of this name: {others[0].id}. Name them by id.", fg="yellow")
        )


def _rule_fields(rule: str, options: dict[str, Any]) -> dict[str, str | None]:
    """The rule, and no time zone beside a rule of --at that had to be in UTC."""
    in_utc = options["at"] is not None and arguments.is_utc(rule)
    return {"rrule": rule} | ({"timezone": None} if in_utc else {})


def _zone(options: dict[str, Any], stored: Schedule) -> dict[str, Any]:
    """The time zone whose clock --dtstart and --at are on."""
    return {"timezone": stored.timezone} if options["timezone"] is None else {}


def _merged(stored: Schedule, given: dict[str, str]) -> dict[str, str]:
    """The stored headers, masked so that they keep their values, with those given put in or taken out."""
    named = {name.lower() for name in given}
    kept = {name: MASK for name in stored.headers if name.lower() not in named}
    return kept | {name: value for name, value in given.items() if value}


def views_of(state: State, found: Sequence[Schedule], *, reveal: bool = False) -> list[Json]:
    """Schedules as JSON, their next runs as calendars allow."""
    now, exclusions = state.now(), state.context().exclusions(found)
    return [schedule_view(each, now, exclusions=exclusions[each.id], reveal=reveal) for each in found]


def view_of(state: State, found: Schedule, *, reveal: bool = False) -> Json:
    """As `views_of`, of one."""
    return views_of(state, [found], reveal=reveal)[0]


def _show(state: State, what: str, changed: Schedule) -> None:
    emit(
        state,
        view_of(state, changed),
        table=lambda: schedule_tables.confirmation(state, what, changed, state.now()),
    )
    hint_at_daemons(state)


def hint_at_daemons(state: State) -> None:
    """On a terminal, say so when nothing is running that would make the calls."""
    if state.terminal and state.output == "table" and (absent := state.service().absent()):
        state.warn_absent(absent)
