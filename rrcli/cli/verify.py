"""`rrcli events verify`: is a captured request what a schedule signed?"""

import sys
from datetime import timedelta

import click

from rrcli.cli import arguments
from rrcli.cli.exit_codes import ExitCode
from rrcli.cli.group import command
from rrcli.cli.output import emit
from rrcli.cli.state import State, pass_state
from rrcli.core.captured import read_captured
from rrcli.core.signature import fault_of

_BYTES = 20 * 1024 * 1024

EXAMPLES = """
rrcli events verify --secret whsec_… request.txt
pbpaste | rrcli events verify --secret whsec_… --tolerance 1h -
"""


@command("verify", examples=EXAMPLES)
@click.argument("file", type=arguments.PATH)
@click.option(
    "--secret", multiple=True, required=True, metavar="whsec_…", help="One that may have signed; repeatable."
)
@click.option(
    "--tolerance",
    type=arguments.DURATION,
    default="5m",
    show_default=True,
    metavar="SPAN",
    help="How far its timestamp may be from now.",
)
@pass_state
def verify(state: State, file: str, secret: tuple[str, ...], tolerance: float) -> int:
    """Check the signature of a captured request in FILE (- reads stdin).

    It is an HTTP message (headers, an empty line, the body), or JSON with "headers" and "body". Says valid,
    or which part is wrong, and exits with 1 then.
    """
    headers, body = read_captured(_read(file))
    try:
        fault = fault_of(headers, body, secret, now=state.now(), tolerance=timedelta(seconds=tolerance))
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--secret") from error
    emit(
        state,
        {"valid": fault is None, "fault": fault},
        table=lambda: "valid" if fault is None else f"not valid: {fault}",
        ids=lambda view: "valid" if view["valid"] else "",
    )
    return ExitCode.OK if fault is None else ExitCode.FAILED


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(_BYTES)
    try:
        with open(file, "rb") as opened:
            return opened.read(_BYTES)
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror}.", param_hint="FILE") from error
