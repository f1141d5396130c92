"""Options that take one word of several, a time zone, or a file: what is meant is near, or completed."""

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Choice(click.Choice[str]):
    """One word of several; of a mistyped one it says which is near."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        return f"It is one of {', '.join(self.choices)}."

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        from rrcli.core.fields import did_you_mean

        near = did_you_mean(str(value).lower(), self.choices)
        if near is None:
            near = next(
                (each for each in self.choices if value and each.startswith(str(value).lower())), None
            )
        told = f"{value!r} is not one of {', '.join(self.choices)}."
        return f"{told} Did you mean {near}?" if near else told


class Zone(click.types.StringParamType):
    """A time zone; checked where it is used."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """The names of zones."""
        from rrcli.cli.complete import zones

        return zones(incomplete)


class File(click.types.StringParamType):
    """The path of a file; opened where it is used."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """Files, which the shell knows best."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


ZONE = Zone()
FILE = File()
