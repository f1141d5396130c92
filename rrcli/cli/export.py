"""`rrcli export` and `rrcli schedule export`: schedules as files."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rrcli.cli import arguments
from rrcli.cli.choice import Choice
from rrcli.cli.group import command
from rrcli.cli.output import write
from rrcli.cli.state import State, pass_state

if TYPE_CHECKING:
    from rrcli.core.models import Schedule

# What it works with is imported where it is used: `rrcli schedule list` imports this module, too.

EXAMPLES = """
rrcli export > schedules.yaml
rrcli export --tag team-a -o json
rrcli export report --format ics > report.ics
"""


@command("export", examples=EXAMPLES)
@click.argument("schedule", nargs=-1, type=arguments.UTF8)
@click.option("--tag", type=arguments.UTF8, metavar="WORD", help="Those with this tag; else all.")
@click.option(
    "--format",
    "form",
    type=Choice(("yaml", "ics")),
    default="yaml",
    show_default=True,
    help="For `rrcli apply`, or for calendars (iCalendar).",
)
@click.option("--reveal", is_flag=True, help="With header values, secrets and credentials in URLs.")
@pass_state
def export(state: State, schedule: tuple[str, ...], tag: str | None, form: str, reveal: bool) -> None:
    """Write schedules as a file: the SCHEDULEs named, or all.

    YAML goes back in with `rrcli apply`; masked values keep what is stored there. With -o json it is JSON.
    """
    if schedule and tag is not None:
        raise click.UsageError("Give either SCHEDULEs or --tag.")
    if state.output in ("csv", "ids"):
        raise click.UsageError(f"export writes YAML, JSON (-o json) or --format ics, not {state.output}.")
    from rrcli.operations.apply import require_names_apart
    from rrcli.operations.declared import exported

    found = _chosen(state, schedule, tag)
    if form == "ics":
        write(state, _calendar(state, found))
        return
    require_names_apart(found)
    _remark_skips(state, found)
    if reveal:
        found = [state.service(changes=False).revealed(each) for each in found]
    listed = [exported(each, state.settings, reveal=reveal) for each in found]
    write(state, _text(state, listed))


def _chosen(state: State, references: Sequence[str], tag: str | None) -> "list[Schedule]":
    from rrcli.operations import schedules
    from rrcli.operations.apply import all_schedules

    context = state.context()
    if not references:
        return all_schedules(context, tag=tag)
    found = [schedules.resolve(context, each) for each in references]
    return list({each.id: each for each in found}.values())


def _remark_skips(state: State, found: "Sequence[Schedule]") -> None:
    now = state.now()
    skipping = [each.name for each in found if any(skip.run_time > now for skip in each.skips)]
    if skipping:
        state.remark(f"Skipped and moved occurrences are not in the file: {', '.join(skipping[:5])}.")


def _text(state: State, listed: list[dict[str, object]]) -> str:
    document = {"schedules": listed}
    if state.output in ("json", "jsonl"):
        return json.dumps(document, ensure_ascii=False, indent=2 if state.output == "json" else None)
    from rrcli.operations.manifest_yaml import dump

    return dump(document)


def _calendar(state: State, found: "Sequence[Schedule]") -> str:
    from rrcli.operations.ics_write import export

    written = export(state.context(), found)
    if written.listed:
        names = ", ".join(written.listed[:5])
        state.remark(f"Calendars do not share these rules; only their next occurrences are in it: {names}.")
    return written.text.replace("\r\n", "\n") if state.terminal else written.text
