"""Commands that the pages quote exist, and take the options that are quoted."""

import re
import shlex
from pathlib import Path

import click
import pytest

from rrcli.cli.main import cli
from rrcli.cli.state import State
from tests.docs.markdown import ROOT, pages, prose, shell_lines

_ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")
_INLINE = re.compile(r"`((?:rrcli|make) [^`\n]+)`")
_TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def _words(line: str) -> list[str]:
    """The words of one command; variables before it and what it is piped into are left out."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a quoted string that goes on in the next line, as of curl
        return []
    while words and _ASSIGNMENT.fullmatch(words[0]):
        words.pop(0)
    ends = [index for index, word in enumerate(words) if word in ("|", "&&", ";", ">", "&")]
    words = words[: min(ends, default=len(words))]
    if words and words[0].endswith("/rrcli"):
        words[0] = "rrcli"
    return words


def _quoted(program: str) -> list[tuple[Path, str]]:
    return [
        (page, shlex.join(words))
        for page in pages()
        if page.name != "cli.md"  # made from the commands themselves
        for line in (*shell_lines(page), *_INLINE.findall(prose(page)))
        if (words := _words(line)) and words[0] == program
    ]


def _named(program: str) -> pytest.MarkDecorator:
    found = _quoted(program)
    names = [f"{page.relative_to(ROOT)}: {line}" for page, line in found]
    return pytest.mark.parametrize("line", [line for _, line in found], ids=names)


@_named("rrcli")
def test_a_quoted_rrcli_command_parses(line: str) -> None:
    command: click.Command = cli
    words = shlex.split(line)[1:]
    with click.Context(cli, info_name="rrcli", obj=State()) as context:
        while isinstance(command, click.Group):
            assert words, f"{line}: a command is missing"
            if words[0].startswith("-"):
                break  # an option of rrcli itself, such as --help
            name = words.pop(0)
            found = command.get_command(context, name)
            assert found is not None, f"{line}: there is no {name}"
            command, context = found, click.Context(found, parent=context, info_name=name)
        _parse(command, words, context)


def _parse(command: click.Command, words: list[str], context: click.Context) -> None:
    """Options must exist and have values that they take; a command in prose may leave out the rest."""
    try:
        command.make_context(context.info_name, list(words), parent=context.parent, obj=context.obj)
    except (click.MissingParameter, click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):
        return


@_named("make")
def test_a_quoted_make_target_exists(line: str) -> None:
    targets = [word for word in shlex.split(line)[1:] if "=" not in word]
    assert set(targets) <= _TARGETS


def test_commands_were_found_in_the_pages() -> None:
    lines = [line for program in ("rrcli", "make") for _, line in _quoted(program)]
    assert {"rrcli up", "rrcli demo", "make demo", "make test"} <= set(lines)


def test_a_command_that_does_not_exist_is_noticed() -> None:
    with pytest.raises(AssertionError, match="there is no frobnicate"):
        test_a_quoted_rrcli_command_parses("rrcli schedule frobnicate")
    with pytest.raises(click.NoSuchOption):
        test_a_quoted_rrcli_command_parses("rrcli schedule list --frobnicate")
