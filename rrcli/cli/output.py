"""Data on stdout, in the format that was asked for."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from rrcli.cli.state import State
from rrcli.cli.text import safe, safe_json

Json = dict[str, Any]


def emit(
    state: State,
    data: Json | Sequence[Json],
    *,
    table: Callable[[], str],
    ids: Callable[[Json], str] = lambda each: str(each["id"]),
    head: bool = True,
) -> None:
    """Print one record, or a list of them; `table` makes the text for people, `ids` names a record.

    Without `head`, csv goes on below another.
    """
    rows = [data] if isinstance(data, dict) else list(data)
    if state.output == "table":
        write(state, table())
    elif state.output == "json":
        write(state, _json(data, indent=2))
    elif state.output == "jsonl":
        write(state, "\n".join(_json(row) for row in rows))
    elif state.output == "yaml":
        write(state, _yaml(data))
    elif state.output == "csv":
        write(state, _csv(rows, escape=state.terminal, head=head))
    else:
        write(state, "\n".join(ids(row) for row in rows))


def write(state: State, text: str) -> None:
    """Print text that ends in a line break; nothing at all when it is empty.

    A reader that has gone (`| head`) ends the command silently.
    """
    if not text:
        return
    try:
        click.echo(text.removesuffix("\n"), color=state.colour)
    except BrokenPipeError:
        # The interpreter flushes stdout once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from None


def _json(data: Any, indent: int | None = None) -> str:
    return safe_json(json.dumps(data, ensure_ascii=False, indent=indent))


def _yaml(data: Any) -> str:
    import yaml

    # By way of JSON: the dumper knows str, not its subclasses (StrEnum).
    return str(yaml.safe_dump(json.loads(_json(data)), sort_keys=False, allow_unicode=True, width=1000))


def _csv(rows: Sequence[Json], *, escape: bool, head: bool) -> str:
    import csv
    import io

    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    if not names:
        return ""
    target = io.StringIO()
    writer = csv.DictWriter(target, names, lineterminator="\n")
    if head:
        writer.writeheader()
    for row in flat:
        writer.writerow({name: safe(str(value)) if escape else value for name, value in row.items()})
    return target.getvalue()


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values under dotted names; lists, true and false as in JSON; null as nothing."""
    for name, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, bool | list | tuple | Mapping):
            yield f"{prefix}{name}", _json(value)
        else:
            yield f"{prefix}{name}", "" if value is None else value
