"""The command `rrcli`: its groups and commands, imported when they are used, and its way out."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from rrcli import __version__
from rrcli.cli import errors
from rrcli.cli.exit_codes import ExitCode
from rrcli.cli.group import LazyGroup
from rrcli.cli.state import State

EXAMPLES = """
rrcli demo
rrcli preview --rrule 'FREQ=WEEKLY;BYDAY=MO;BYHOUR=8;BYMINUTE=30;BYSECOND=0'
rrcli schedule create --name report --rrule 'FREQ=HOURLY' \\
    --callback-url https://example.org/
rrcli events history report -o json
"""

COMMANDS = {
    "up": ("rrcli.cli.stack:up", "Start everything: API and daemons, until Ctrl-C."),
    "demo": ("rrcli.cli.demo:demo", "See it work, in a scratch folder, in 20 seconds."),
    "schedule": ("rrcli.cli.schedules:schedule", "Create, look at, change and delete schedules."),
    "events": ("rrcli.cli.events:events", "Look at what is planned and what happened."),
    "calendar": ("rrcli.cli.calendars:calendar", "Keep calendars of holidays, when schedules do not run."),
    "preview": ("rrcli.cli.preview:preview", "Show when a rule or a schedule runs."),
    "apply": ("rrcli.cli.apply:apply", "Bring schedules in line with what files declare."),
    "export": ("rrcli.cli.export:export", "Write schedules as a file, for apply or for calendars."),
    "simulate": ("rrcli.cli.simulate:simulate", "Count the load that schedules will make; show its peaks."),
    "status": ("rrcli.cli.status:status", "Show daemons, queues, counts, and what comes next."),
    "top": ("rrcli.cli.top:top", "The same on the whole terminal, refreshed."),
    "doctor": ("rrcli.cli.doctor:doctor", "Find what is wrong, and say how to mend it."),
    "daemon": ("rrcli.cli.stack:daemon", "Run one daemon in the foreground."),
    "api": ("rrcli.cli.stack:api", "Run the REST service in the foreground."),
    "config": ("rrcli.cli.config:config", "Show settings and their sources; write a configuration file."),
    "apikey": ("rrcli.cli.apikey:apikey", "Make, list and revoke keys of the REST service."),
    "db": ("rrcli.cli.db:db", "Prepare the store, check it, empty its archive."),
    "completion": ("rrcli.cli.completion:completion", "Print the completion script of a shell."),
}


@click.group(
    "rrcli",
    cls=LazyGroup,
    lazy=COMMANDS,
    examples=EXAMPLES,
    context_settings={"max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s", help="Print the version.")
def cli() -> None:
    """The scheduler that speaks RFC 5545: a rule says when, an HTTP request says what."""


def main(arguments: Sequence[str] | None = None, state: State | None = None) -> int:
    """Run one command line and answer its exit code; errors are told on stderr."""
    if "_RRCLI_COMPLETE" in os.environ:
        return _complete(os.environ["_RRCLI_COMPLETE"])
    given = list(sys.argv[1:] if arguments is None else arguments)
    state = state or State()
    try:
        code = cli.main(given, prog_name="rrcli", obj=state, standalone_mode=False)
        return code if isinstance(code, int) else ExitCode.OK
    except Exception as error:
        return errors.report(error, state, given)
    finally:
        state.close()


def _complete(asked: str) -> int:
    """Answer a shell; never an error, for it would stand in the middle of a line that somebody types."""
    from rrcli.cli.shells import answer

    with suppress(Exception):
        click.echo(answer(cli, asked))
    return ExitCode.OK


def _open_what_is_closed() -> None:
    """A stream that the caller has closed (`<&-`, `>&-`) is as one that is empty, or that nobody reads.

    Otherwise the next file that is opened, which may be the store, would take its place.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - until the process ends
            setattr(sys, name, stream)


def run() -> None:
    """Entry point of the console script."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a substitute, never an exception.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    _leave(main())


def _leave(code: int) -> None:
    """End at once: Python would wait half a second for threads of the drivers, which have nothing to do."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # told already, if anybody could be told
        code = code or ExitCode.FAILED
    os._exit(code)
