"""What was meant, perhaps: for commands and options that do not exist."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

import click

_MOST = 3
_SYNONYMS = {
    "add": "create",
    "cat": "show",
    "describe": "show",
    "disable": "pause",
    "enable": "resume",
    "explain": "preview",
    "fire": "trigger",
    "get": "show",
    "info": "show",
    "list": "list pending history",
    "log": "history",
    "logs": "history",
    "ls": "list pending history",
    "new": "create",
    "next": "preview",
    "remove": "delete",
    "rm": "delete",
    "run": "trigger",
    "set": "update",
    "start": "up",
    "stop": "pause",
    "tail": "watch",
}
"""What other tools call it -> what it is here, of several what the group has."""


def for_command(word: str, here: click.Group, context: click.Context) -> str:
    """` Did you mean 'schedule pause'?`: of the group `here`, else of the groups below; empty for none."""
    found = _near(word, here.list_commands(context)) or list(_below(word, here, context))
    if not found and (root := context.find_root()).command is not here:
        assert isinstance(root.command, click.Group)
        found = [f"rrcli {each}" for each in _below(word, root.command, root)]
    return _asked([repr(each) for each in found[:_MOST]])


def for_option(error: click.NoSuchOption) -> str:
    """The message of an option that does not exist, with the one that has the word in it, or is near."""
    known = [] if error.ctx is None else [name for each in error.ctx.command.params for name in each.opts]
    word = error.option_name.strip("-")
    having = [name for name in known if word in name.strip("-").split("-")]
    return error.message + _asked([repr(each) for each in (having or error.possibilities or ())[:1]])


def _below(word: str, here: click.Group, context: click.Context) -> Iterator[str]:
    """The commands one level deeper, with the word before them: `list` is `schedule list`."""
    groups = [
        (name, each.list_commands(context))
        for name in here.list_commands(context)
        if isinstance(each := here.get_command(context, name), click.Group)
    ]
    known = {each for _, names in groups for each in names}
    for meant in [word] if word in known else _near(word, sorted(known)):
        yield from (f"{name} {meant}" for name, names in groups if meant in names)


def _near(word: str, known: Sequence[str]) -> list[str]:
    """What it is called here that other tools call so; else the word like it."""
    called = [meant for meant in _SYNONYMS.get(word, "").split() if meant in known]
    return called or get_close_matches(word[:80], known, n=1, cutoff=0.7)


def _asked(found: Iterable[str]) -> str:
    *others, last = list(found) or [""]
    return f" Did you mean {', '.join(others)}{' or ' if others else ''}{last}?" if last else ""
