"""`rrcli apikey`: keys of the REST service."""

from collections.abc import Sequence
from datetime import datetime

import click

from rrcli.cli import times
from rrcli.cli.choice import Choice
from rrcli.cli.group import group
from rrcli.cli.output import Json, emit, write
from rrcli.cli.state import State, pass_state
from rrcli.cli.tables import Cell, Column, Row, table
from rrcli.cli.text import safe
from rrcli.core.api_keys import ApiKey, Scope
from rrcli.core.timefmt import format_instant
from rrcli.operations import api_keys as operation


@group(
    "apikey",
    examples="rrcli apikey create --name ci --scope write\nrrcli apikey list\nrrcli apikey revoke ci",
)
def apikey() -> None:
    """Make, list and revoke keys of the REST service.

    As soon as there is one, every request needs a key. Keys are stored hashed: a lost one cannot be shown
    again, only replaced. They are made where the store is, never through the service itself.
    """


@apikey.command(
    "create",
    examples="rrcli apikey create --name ci --scope write\nKEY=$(rrcli apikey create --name ci --scope read)",
)
@click.option("--name", required=True, help="What the key is for.")
@click.option(
    "--scope",
    required=True,
    type=Choice([str(each) for each in Scope], case_sensitive=False),
    help="What it allows: feed, calendars (.ics) only; read; write, which includes read; "
    "admin, which also reveals masked values.",
)
@pass_state
def create(state: State, name: str, scope: str) -> None:
    """Make a key and print it, this once."""
    state.require_local()
    key, text = operation.create(state.context(), name=name, scope=scope)
    if state.output == "table":
        write(state, text)
        state.remark(f"API key {key.id} for {safe(key.name)}, scope {key.scope}. It is not shown again.")
        return
    emit(state, view(key) | {"key": text}, table=str)


@apikey.command("list", examples="rrcli apikey list\nrrcli apikey list -o json")
@pass_state
def list_(state: State) -> None:
    """List all keys, oldest first, without their secrets."""
    state.require_local()
    keys = operation.find(state.context())
    emit(state, [view(key) for key in keys], table=lambda: _table(state, keys, state.now()))
    if not keys and state.output == "table":
        state.remark("No API keys: the REST service is open to whoever reaches it.")


@apikey.command("revoke", examples="rrcli apikey revoke ci\nrrcli apikey revoke 4f0c1d2e3a4b")
@click.argument("key")
@pass_state
def revoke(state: State, key: str) -> None:
    """End a KEY, named by its id or name; within seconds nothing takes it any more."""
    state.require_local()
    revoked = operation.revoke(state.context(), key)
    emit(state, view(revoked), table=lambda: f"Revoked {safe(revoked.name)}  {revoked.id}")


def view(key: ApiKey) -> Json:
    """A key as JSON, without its digest."""
    return {
        "id": key.id,
        "name": key.name,
        "scope": key.scope,
        "created_at": format_instant(key.created_at),
        "last_used_at": format_instant(key.last_used_at) if key.last_used_at else None,
        "revoked_at": format_instant(key.revoked_at) if key.revoked_at else None,
    }


def _table(state: State, keys: Sequence[ApiKey], now: datetime) -> str:
    if not keys:
        return ""
    columns = (
        Column("ID"),
        Column("NAME", least=8),
        Column("SCOPE"),
        Column("CREATED", keep=2),
        Column("LAST USED", keep=1),
        Column("STATE"),
    )
    return table(columns, [_row(key, now) for key in keys], width=state.width, rule=state.terminal)


def _row(key: ApiKey, now: datetime) -> Row:
    return (
        key.id,
        key.name,
        str(key.scope),
        Cell(times.relative(key.created_at, now), dim=True),
        times.relative(key.last_used_at, now) if key.last_used_at else "never",
        Cell("revoked", "red") if key.revoked_at else Cell("active", "green"),
    )
