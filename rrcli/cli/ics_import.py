"""`rrcli schedule import`: the events of a calendar file as schedules."""

import sys
from pathlib import Path

import click

from rrcli.cli import arguments
from rrcli.cli.choice import ZONE
from rrcli.cli.group import command
from rrcli.cli.state import State, pass_state
from rrcli.cli.text import count

EXAMPLES = """
rrcli schedule import events.ics --dry-run \\
    --callback-url https://example.org/hook
rrcli schedule import - --callback-url https://example.org/hook \\
    --tag team-a --timezone Europe/Berlin < events.ics
"""

_LARGEST_BYTES = 16 * 1024 * 1024


@command("import", examples=EXAMPLES)
@click.argument("file", type=arguments.PATH)
@click.option("--callback-url", metavar="URL", help="What all of them call; needed for new ones.")
@click.option("--method", help="HTTP method; POST with a body and GET without, unless given.")
@click.option("-H", "--header", multiple=True, metavar="'NAME: VALUE'", help="Header; repeatable.")
@click.option("--body", metavar="TEXT", help="Request body; @FILE reads it.")
@click.option("--tag", multiple=True, metavar="WORD", help="Tag to find them by; repeatable.")
@click.option("--timezone", type=ZONE, metavar="ZONE", help="For times that name no zone; else UTC.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@pass_state
def import_(
    state: State,
    file: str,
    callback_url: str | None,
    method: str | None,
    header: tuple[str, ...],
    body: str | None,
    tag: tuple[str, ...],
    timezone: str | None,
    dry_run: bool,
) -> None:
    """Make schedules of the events of an iCalendar FILE (- reads stdin).

    Rules, added and removed dates, moved and cancelled instances are taken over. The UID is kept as a tag
    (uid=…): importing the file again changes the schedules that it made, and makes no new ones. Events that
    are over are left out.
    """
    from rrcli.cli.apply import finish
    from rrcli.operations import ics_import as operation

    given = {
        "callback_url": callback_url,
        "method": method,
        "headers": arguments.headers(header) if header else None,
        "body": arguments.read_text(body, "--body") if body is not None else None,
        "tags": arguments.words(tag) if tag else None,
    }
    fields = {name: value for name, value in given.items() if value is not None}
    found = operation.plan(state.context(), _text(file), fields, state.service(), timezone=timezone)
    if found.over:
        state.remark(f"Left out: {count(found.over, 'event')} without an occurrence to come.")
    finish(state, found.steps, dry_run=dry_run)


def _text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read(_LARGEST_BYTES + 1) if file == "-" else Path(file).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror}.", param_hint="FILE") from error
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{file} is not UTF-8.", param_hint="FILE") from error
    if len(data) > _LARGEST_BYTES:
        raise click.BadParameter(f"{file} is larger than {_LARGEST_BYTES >> 20} MiB.", param_hint="FILE")
    return text
