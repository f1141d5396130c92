"""What one invocation knows: its global options, and the settings and store, each opened on first use."""

import os
import sys
from contextlib import ExitStack
from functools import cached_property
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, tzinfo

    from rich.console import Console

    from rrcli.clock import Clock
    from rrcli.operations.context import Context
    from rrcli.operations.service import Service
    from rrcli.remote.client import Client
    from rrcli.repository.base import Repository
    from rrcli.settings import ClientSettings, Loaded, Settings

# Everything above is imported where it is used: a command pays only for what it needs.


class State:
    """Given to every command by `pass_state`.

    `flags` maps setting names (`worker.count`) to values given on the command line; to be filled before
    `loaded` is read. `tz` None means the machine's zone. `connect` makes the client of a REST service;
    tests give it, and `wait`.
    """

    def __init__(
        self,
        *,
        clock: "Clock | None" = None,
        connect: "Callable[[ClientSettings], Client] | None" = None,
        wait: "Callable[[float], object] | None" = None,
    ) -> None:
        self.config: str | None = None
        self.output = "table"
        self.no_color = False
        self.verbose = 0
        self.tz: tzinfo | None = None
        self.flags: dict[str, Any] = {}
        self._clock = clock
        self._connect = connect
        self._wait = wait
        self._context: Context | None = None
        self._client: Client | None = None
        self._exit = ExitStack()

    @cached_property
    def loaded(self) -> "Loaded":
        """The settings and where each came from. Raises InvalidSettings."""
        from rrcli.settings import load

        return load(file=self.config, flags=self.flags)

    @property
    def settings(self) -> "Settings":
        """The settings. Raises InvalidSettings."""
        return self.loaded.settings

    @cached_property
    def clock(self) -> "Clock":
        """The clock that every command reads."""
        from rrcli.clock import SystemClock

        return self._clock or SystemClock()

    def now(self) -> "datetime":
        """The current instant in whole milliseconds, as storage keeps it."""
        from rrcli.core.models import whole_ms

        return whole_ms(self.clock.now())

    def wait(self, seconds: float) -> None:
        """Let so much time pass; Ctrl-C ends it."""
        from threading import Event

        (self._wait or Event().wait)(seconds)

    def context(self) -> "Context":
        """What operations look at, its store open, or the server; closed when the command ends.

        While the queues are away, schedules and the ledger can be read. Raises InvalidSettings and
        StoreUnavailable.
        """
        if self._context is None:
            from rrcli import log
            from rrcli.operations.context import Context

            log.setup("debug" if self.verbose else "warn", "text")
            repository = self._remote() if self.settings.client.server else self._store()
            self._exit.callback(repository.close)
            self._context = Context(repository=repository, clock=self.clock, settings=self.settings)
            self.note(f"store: {repository.description}")
        return self._context

    def service(self, *, changes: bool = True) -> "Service":
        """What reads and changes things, on the store or by the server. Raises as `context`.

        Where it is to change something, the queues must be there, too, or half of it would be done.
        """
        context = self.context()
        if self._client is not None:
            from rrcli.remote.service import Remote

            return Remote(self._client, context)
        from rrcli.operations.service import Local

        if changes:
            context.repository.ping()
        return Local(context)

    def require_local(self) -> None:
        """Refuse a command that a server cannot do for others. Raises StoreNeeded."""
        if self.settings.client.server:
            from rrcli.errors import StoreNeeded

            raise StoreNeeded(f"`{click.get_current_context().command_path}`")

    def _store(self) -> "Repository":
        from rrcli.repository.factory import open_repository

        repository = open_repository(self.settings)
        try:
            repository.ping(queues=False)
        except Exception:
            repository.close()
            raise
        return repository

    def _remote(self) -> "Repository":
        from rrcli.remote.client import sends_key_in_clear
        from rrcli.remote.repository import open_remote

        if sends_key_in_clear(self.settings.client):
            self.remark(
                click.style("The API key goes over the network in the clear: use https.", fg="yellow")
            )
        return open_remote(self.client())

    def client(self) -> "Client":
        """The REST service that commands go to; closed when the command ends."""
        if self._client is None:
            from rrcli.remote.client import connect

            self._client = (self._connect or connect)(self.settings.client)
            self._exit.callback(self._client.close)
        return self._client

    def close(self) -> None:
        """Close what was opened; safe to repeat."""
        self._exit.close()
        self._context = None

    @property
    def terminal(self) -> bool:
        """Whether stdout is a person's terminal."""
        return sys.stdout.isatty()

    @property
    def interactive(self) -> bool:
        """Whether a question can be asked and answered."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None in a pipe, where lines may be as long as they are."""
        if self.terminal or os.environ.get("COLUMNS", "").isdigit():
            return max(20, get_terminal_size().columns)
        return None

    @property
    def colour(self) -> bool:
        """Whether stdout takes colours."""
        return self.terminal and self.wants_colour

    @property
    def wants_colour(self) -> bool:
        """Whether colours were not declined, by --no-color, NO_COLOR or a dumb terminal."""
        return not self.no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    @cached_property
    def console(self) -> "Console":
        """rich on stdout, for live displays. User data must be escaped: markup is on in rich by default."""
        from rich.console import Console

        return Console(no_color=not self.wants_colour, highlight=False)

    @cached_property
    def err(self) -> "Console":
        """rich on stderr, for progress and remarks."""
        from rich.console import Console

        return Console(stderr=True, no_color=not self.wants_colour, highlight=False)

    def remark(self, text: str) -> None:
        """A line for the person, on stderr."""
        click.echo(text, err=True)

    def footer(self, shown: int, total: int, noun: str, *, exact: bool = True) -> None:
        """`20 of 1,234 events`, or `20 of more than 10,000 events`, under a table on a terminal."""
        if shown and self.terminal and self.output == "table":
            from rrcli.cli.text import count

            of_all = count(total, noun) if exact else f"more than {count(total, noun)}"
            self.remark(click.style(f"{shown:,} of {of_all}", dim=True))

    def warn_absent(self, daemons: "Sequence[str]") -> None:
        """Say which daemons are not running, and what starts them."""
        self.remark(click.style(f"Not running: {', '.join(daemons)}. Start them: rrcli up", fg="yellow"))

    def note(self, text: str) -> None:
        """A line on stderr that only -v shows."""
        if self.verbose:
            from rrcli.log import redact

            self.remark(redact(text))


pass_state = click.make_pass_decorator(State, ensure=True)
