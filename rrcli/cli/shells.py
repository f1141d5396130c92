"""The shells that complete: their scripts, and how each tells what has been typed.

Not the scripts of click: names may hold blanks, colons and commas, which these quote.
"""

import os
from importlib.resources import files

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

VARIABLE = "_RRCLI_COMPLETE"
"""Set by the scripts; says that completions are asked for, and by which shell."""


def _script(shell: str) -> str:
    return (files("rrcli.cli") / "completions" / f"rrcli.{shell}").read_text("utf-8")


class Bash(BashComplete):
    """The line up to the cursor as it was typed: readline's words end at colons, too."""

    def source(self) -> str:
        return _script("bash")

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        if not words or (line[-1:].isspace() and not line.rstrip().endswith("\\")):
            return words, ""
        return words[:-1], words[-1]


class Zsh(ZshComplete):
    """As click's, with a script of its own."""

    def source(self) -> str:
        return _script("zsh")


class Fish(FishComplete):
    """As click's, with a script of its own."""

    def source(self) -> str:
        return _script("fish")


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def answer(cli: click.Command, asked: str) -> str:
    """What a script asks for (`bash_complete`): the completions, in the form of its shell; else nothing."""
    shell, _, verb = asked.partition("_")
    found = SHELLS.get(shell)
    return found(cli, {}, "rrcli", VARIABLE).complete() if found and verb == "complete" else ""
