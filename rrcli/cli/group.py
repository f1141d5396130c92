"""click, with our manners: commands imported on use, global options anywhere, examples in every help text."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import click

from rrcli.cli.choice import FILE, ZONE, Choice
from rrcli.cli.state import State

FORMATS = ("table", "json", "jsonl", "yaml", "csv", "ids")


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep a global option in the state; later on the line wins, and `-v` adds up."""
    if value in (None, False, 0):
        return
    state = context.ensure_object(State)
    name = str(parameter.name)
    setattr(state, name, state.verbose + value if name == "verbose" else value)


def _zone(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    from zoneinfo import ZoneInfo, available_timezones

    from rrcli.core.fields import did_you_mean

    try:
        zone = ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        known = available_timezones()
        cities = {each.rpartition("/")[2]: each for each in sorted(known)}
        near = did_you_mean(value, known) or cities.get(did_you_mean(value.title(), cities) or "")
        hint = f" Did you mean {near}?" if near else " Use an IANA name, such as Europe/Berlin."
        raise click.BadParameter(f"{value!r} is not a time zone.{hint}", context, parameter) from error
    context.ensure_object(State).tz = zone


def _setting(name: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    """Keep an option that stands for the setting `name`."""

    def callback(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.ensure_object(State).flags[name] = value

    return callback


GLOBAL_OPTIONS: tuple[click.Option, ...] = (
    click.Option(
        ["--config"],
        type=FILE,
        metavar="FILE",
        callback=_remember,
        expose_value=False,
        help="The configuration file.",
    ),
    click.Option(
        ["-o", "--output"],
        type=Choice(FORMATS, case_sensitive=False),
        metavar="FORMAT",
        callback=_remember,
        expose_value=False,
        help=f"How to print data: {', '.join(FORMATS)}.",
    ),
    click.Option(
        ["--no-color"],
        is_flag=True,
        callback=_remember,
        expose_value=False,
        help="No colours (also: environment NO_COLOR).",
    ),
    click.Option(
        ["--tz"],
        type=ZONE,
        metavar="ZONE",
        callback=_zone,
        expose_value=False,
        help="Time zone to show times in; the machine's unless given.",
    ),
    click.Option(
        ["--server"],
        metavar="URL",
        callback=_setting("client.server"),
        expose_value=False,
        help="Work on this REST service, not on a store (environment RRCLI_SERVER).",
    ),
    click.Option(
        ["--api-key"],
        metavar="KEY",
        callback=_setting("client.api_key"),
        expose_value=False,
        help="The key for --server (better: environment RRCLI_API_KEY).",
    ),
    click.Option(
        ["-v", "--verbose"],
        count=True,
        callback=_remember,
        expose_value=False,
        help="Say on stderr what happens.",
    ),
)
"""Understood before and after every command, because people type them wherever they think of them."""


class _Manners(click.Command):
    """Global options, and examples at the end of the help text."""

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Its own, not its parent's: click keeps the first help option it makes, whoever asked for it.
        self.context_settings.setdefault("help_option_names", ["-h", "--help"])
        self.examples = examples.strip()

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        own = super().get_params(ctx)
        return [*own[:-1], *GLOBAL_OPTIONS, *own[-1:]]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shared = {id(option) for option in GLOBAL_OPTIONS}
        own: list[tuple[str, str]] = []
        everywhere: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Argument):
                continue  # the usage line and the text speak of it
            record = parameter.get_help_record(ctx)
            if record is not None:
                is_shared = id(parameter) in shared or "--help" in parameter.opts
                (everywhere if is_shared else own).append(record)
        for title, records in (("Options", own), ("Global options", everywhere)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Command(_Manners):
    """One command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as error:
            _, (*words,), _ = self.make_parser(ctx).parse_args(given)
            if not words or not isinstance(error.param, click.Option):
                raise
            ctx.fail(f"{error.format_message()} Did you mean '{error.param.opts[0]} {words[0]}'?")


class Group(_Manners, click.Group):
    """Commands under one word."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # click cuts sentences off in the middle; these go on in the next line.
        names = self.list_commands(ctx)
        commands = [(name, self.get_command(ctx, name)) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(200)) for name, each in commands if each])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if self.get_command(ctx, word) is None and not word.startswith("-") and not ctx.resilient_parsing:
            from rrcli.cli.suggest import for_command

            ctx.fail(f"No such command {word!r}.{for_command(word, self, ctx)}")
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


class LazyGroup(Group):
    """A group whose commands are imported when they are used; `--help` needs their one-line help only."""

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = [(name, short_help) for name, (_, short_help) in self.lazy.items()]
        records += [(name, own.get_short_help_str(200)) for name, own in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(records)


def command(name: str, *, examples: str, **attributes: Any) -> Callable[[Callable[..., Any]], Command]:
    """Decorator: a command with global options; `examples` is shown at the end of its help."""
    return click.command(name, cls=Command, examples=examples, **attributes)


def group(name: str, *, examples: str, **attributes: Any) -> Callable[[Callable[..., Any]], Group]:
    """Decorator: as `command`, for a group."""
    return click.group(name, cls=Group, examples=examples, **attributes)
