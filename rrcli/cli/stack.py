"""Running things: `up`, `daemon` and `api`. Each becomes the program that it starts."""

import fcntl
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import click

from rrcli.cli.group import Command, Group
from rrcli.cli.state import State, pass_state
from rrcli.settings import keys


def _setting_options(*, api: bool = False) -> Callable[[Any], Any]:
    """The flags that stand for settings; `api` adds where the service listens."""
    # Those of the section client are global options.
    flags = [
        (key.name, key.flag, key.doc) for key in keys() if key.flag and not key.name.startswith("client.")
    ]
    if api:
        flags += [
            ("api.host", "--host", "Address the API listens on."),
            ("api.port", "--port", "Port the API listens on."),
        ]

    def decorate(function: Any) -> Any:
        for name, flag, doc in reversed(flags):
            option = click.option(
                flag, metavar="VALUE", callback=_remember(name), expose_value=False, help=doc
            )
            function = option(function)
        return function

    return decorate


def _remember(name: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    check = next(key.check for key in keys() if key.name == name)

    def callback(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.ensure_object(State).flags[name] = check.parse(value)

    return callback


@click.command(
    "up",
    cls=Command,
    examples="""
rrcli up
rrcli up --embedded --port 8081
MONGO_URI=mongodb://localhost:27017 rrcli up --log-level debug
""",
)
@click.option("--embedded", is_flag=True, help="Use the embedded store, whatever mongo.uri says.")
@_setting_options(api=True)
@pass_state
def up(state: State, embedded: bool) -> NoReturn:
    """Start everything: API, prequeuer, dispatcher and worker, until Ctrl-C.

    supervisord keeps the four running; one that dies is started again at once. Logs go to this terminal.
    """
    from rrcli.cli import supervise
    from rrcli.listening import address, require_port
    from rrcli.repository.factory import data_dir

    state.require_local()
    settings = supervise.for_terminal(state.settings)
    if embedded:
        settings = replace(settings, mongo=replace(settings.mongo, uri=None))
    require_port(settings.api.host, settings.api.port)
    store = _require_store(state, settings)
    folder = data_dir(settings) / "run" / str(settings.api.port)
    configuration = supervise.prepare(settings, folder)
    state.remark(f"API      http://{address(settings.api.host, settings.api.port)}/swagger-ui")
    state.remark(f"Store    {store}")
    state.remark("Stop with Ctrl-C.")
    state.close()
    _become(supervise.command(configuration), supervise.environment(folder))


def _require_store(state: State, settings: Any) -> str:
    """What the store is, once it answered. Raises StoreUnavailable, and Unguarded for want of an API key."""
    from rrcli.operations.api_keys import require_guard
    from rrcli.repository.factory import open_repository

    with open_repository(settings) as repository:
        repository.ping()
        repository.init()
        require_guard(settings.api, repository)
        return repository.description


@click.group(
    "daemon",
    cls=Group,
    examples="""
rrcli daemon prequeuer
rrcli daemon worker --worker-count 10
""",
)
def daemon() -> None:
    """Run one daemon in the foreground: what supervisord, systemd and containers start."""


def _daemon(name: str, help_text: str) -> None:
    @daemon.command(name, cls=Command, help=help_text, examples=f"rrcli daemon {name} --log-level debug")
    @_setting_options()
    @pass_state
    def run(state: State) -> NoReturn:
        state.require_local()
        _become([sys.executable, "-m", "rrcli_daemons", name], _environment(state))


_daemon("prequeuer", "Queue what is due inside the window, and keep queues and ledger in agreement.")
_daemon("dispatcher", "Move what is due from the ready queue to the worker queue.")
_daemon("worker", "Make the HTTP calls, and write down how they ended.")


@click.command("api", cls=Command, examples="rrcli api --port 8081")
@_setting_options(api=True)
@pass_state
def api(state: State) -> NoReturn:
    """Run the REST service under gunicorn in the foreground."""
    state.require_local()
    _become([sys.executable, "-m", "rrcli_api"], _environment(state))


def _environment(state: State) -> dict[str, str]:
    """The environment in which the started program reads the settings that this command line gives.

    Raises InvalidSettings, so that a wrong flag is told here.
    """
    loaded = state.loaded
    names = {key.name: key.env for key in keys()}
    given = {names[name]: str(value) for name, value in state.flags.items()}
    if loaded.file is not None:
        given["RRCLI_CONFIG"] = str(loaded.file)
    return dict(os.environ) | given


def _become(arguments: list[str], environment: dict[str, str]) -> NoReturn:
    """Replace this process, so that signals and exit codes are the program's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    _append_to_stdout()
    os.execve(arguments[0], arguments, environment)  # noqa: S606 - no shell is wanted


def _append_to_stdout() -> None:
    """Several programs write there: into a file, each line must go to its end."""
    flags = fcntl.fcntl(1, fcntl.F_GETFL)
    fcntl.fcntl(1, fcntl.F_SETFL, flags | os.O_APPEND)
