"""`rrcli completion`: what makes a shell complete commands and options."""

import click

from rrcli.cli.choice import Choice
from rrcli.cli.group import command
from rrcli.cli.output import write
from rrcli.cli.state import State, pass_state

EXAMPLES = """
rrcli completion bash > ~/.local/share/bash-completion/completions/rrcli
rrcli completion zsh > "${fpath[1]}/_rrcli"
rrcli completion fish > ~/.config/fish/completions/rrcli.fish
"""


@command("completion", examples=EXAMPLES)
@click.argument("shell", type=Choice(("bash", "zsh", "fish")), metavar="SHELL")
@pass_state
def completion(state: State, shell: str) -> None:
    """Print the completion script of a SHELL: bash, zsh or fish."""
    from rrcli.cli.main import cli
    from rrcli.cli.shells import SHELLS, VARIABLE

    write(state, SHELLS[shell](cli, {}, "rrcli", VARIABLE).source())
