"""`rrcli config`: settings with their sources, and a file that documents them all."""

import os
from pathlib import Path
from typing import Any

import click

from rrcli.cli import config_file
from rrcli.cli.choice import FILE
from rrcli.cli.group import group
from rrcli.cli.output import Json, emit, write
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import Cell, Column, Row, table
from rrcli.errors import Conflict, SchedulerError
from rrcli.log import MARK, masked
from rrcli.settings import Key, keys, search_path


@group("config", examples="rrcli config show\nrrcli config init --path ./config/config.yaml")
def config() -> None:
    """Show settings and their sources; write a configuration file.

    A flag wins over the environment, the environment over the file, the file over the default.
    """


@config.command("show", examples="rrcli config show\nrrcli config show --env\nrrcli config show -o json")
@click.option("--env", "as_env", is_flag=True, help="As environment variables, one a line.")
@pass_state
def show(state: State, as_env: bool) -> None:
    """Show every setting, its value, and where that came from; passwords are masked."""
    loaded = state.loaded
    rows = [
        {
            "key": key.name,
            "value": _shown(key, getattr(getattr(loaded.settings, section), name)),
            "source": loaded.sources[key.name],
            "environment": key.env,
        }
        for key in keys()
        for section, name in [key.name.split(".")]
    ]
    if as_env:
        write(state, "\n".join(map(_env_line, rows)))
        return
    emit(state, rows, table=lambda: _table(state, rows), ids=lambda row: str(row["key"]))
    if state.output == "table" and state.terminal:
        state.remark(click.style(f"File: {loaded.file or 'none found'}", dim=True))


def _shown(key: Key, value: Any) -> Any:
    if isinstance(value, tuple):
        return [masked(each) if key.secret else each for each in value]
    return masked(value) if key.secret and value else value


def _text(value: Any) -> str:
    """A value as its environment variable holds it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, list) else str(value)


def _env_line(row: Json) -> str:
    """`NAME=value`; what the program knows without being told is commented out, and so is a masked value."""
    text = _text(row["value"])
    known = row["source"] == "default" or MARK in text
    quoted = text if text.replace(".", "").replace("_", "").isalnum() or not text else f"'{text}'"
    return f"{'# ' if known else ''}{row['environment']}={quoted}"


def _table(state: State, rows: list[Json]) -> str:
    columns = (
        Column("KEY"),
        Column("VALUE", least=16),
        Column("SOURCE", least=12),
        Column("ENVIRONMENT", keep=1),
    )
    body = [_row(row) for row in rows]
    return table(columns, body, width=state.width, rule=state.terminal)


def _row(row: Json) -> Row:
    own = row["source"] != "default"
    return (
        str(row["key"]),
        Cell(_text(row["value"]) or "—", dim=not own),
        Cell(str(row["source"]), "cyan" if own else None, dim=not own),
        Cell(str(row["environment"]), dim=True),
    )


@config.command("init", examples="rrcli config init\nrrcli config init --path ./config/config.yaml --force")
@click.option("--path", type=FILE, metavar="FILE", help="Where to; - prints it. Else the user's folder.")
@click.option("--force", is_flag=True, help="Overwrite a file that exists.")
@pass_state
def init(state: State, path: str | None, force: bool) -> None:
    """Write a configuration file with every setting explained, each at its default."""
    text = config_file.document()
    if path == "-":
        write(state, text)
        return
    target = Path(path) if path else search_path(os.environ)[1]
    if target.exists() and not force:
        raise Conflict(f"{target} exists.", hint="Overwrite it with --force, or name another with --path.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SchedulerError(
            f"{target} cannot be written: {error.strerror}.", hint="Name another with --path."
        ) from error
    emit(state, {"path": str(target)}, table=lambda: f"Wrote {target}", ids=lambda view: str(view["path"]))
