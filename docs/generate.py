"""Write the pages and files that are made from the code; with --check only say which of them are out of date.

python docs/generate.py
python docs/generate.py --check
"""

import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import click
from rest_page import rest_page
from shown_page import shown_page

from rrcli.cli import config_file
from rrcli.cli.group import GLOBAL_OPTIONS, Command
from rrcli.cli.main import cli
from rrcli.metrics import METRICS, PREFIX
from rrcli.settings import keys

ROOT = Path(__file__).resolve().parent.parent
MADE_BY = "<!-- Made by docs/generate.py from the code; change the code, then run it again. -->"

COMMANDS_HEAD = """\
# Commands

Data goes to stdout, everything else to stderr. A schedule is named by its id, the beginning of one, or its
name; an event by its id or the beginning of one. Every command answers `-h`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed for another reason, an audit found an instant missing, or a question was answered with no |
| 2 | the command line was wrong |
| 3 | nothing has that id or name |
| 4 | a value, a rule or a setting was refused |
| 5 | the store cannot be reached |
| 6 | conflict: another revision, a name that fits several, a file that exists |
| 130 | interrupted with Ctrl-C |

`json` and `yaml` are one document, `jsonl` a record a line, `ids` an id a line. `csv` has a line a record:
nested values under dotted names, lists, `true` and `false` as in JSON, and null as an empty field.

With `-o json` or `-o jsonl`, errors are JSON, too: `{"error": {"code", "message", "hint"?, "details"?}}`.
"""

SETTINGS_HEAD = """\
# Settings

Each is taken from the first of these that says it: a flag of the command, the environment, the configuration
file, the default. The file is the one named by `--config` or `RRCLI_CONFIG`, else the first that exists of
`./config/config.yaml`, `~/.config/rrule-scheduler/config.yaml` and `/etc/rrule-scheduler/config.yaml`.
`rrcli config show` tells each value and its source; `rrcli config init` writes a file with all of them.

A wrong value stops the program at once, with the source, the key, the value, and what is allowed.
"""


def commands_page() -> str:
    """docs/reference/cli.md"""
    parts = [
        COMMANDS_HEAD.rstrip(),
        MADE_BY,
        "## Global options",
        "Understood before and after every command.",
    ]
    parts.append(_options_table(list(GLOBAL_OPTIONS), click.Context(cli)))
    parts += [_command_section(path, command) for path, command in walk(cli, ())]
    return "\n\n".join(parts) + "\n"


def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it, groups before what is in them."""
    if path:
        yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from walk(found, (*path, name))


def _command_section(path: tuple[str, ...], command: click.Command) -> str:
    words = "rrcli " + " ".join(path)
    context = click.Context(command, info_name=words)
    usage = " ".join([words, *command.collect_usage_pieces(context)])
    parts = [f"{'#' * (len(path) + 1)} {words}", f"`{usage}`", _paragraphs(command.help or "")]
    if isinstance(command, click.Group):
        inner = [(name, "-".join(("rrcli", *path, name))) for name in command.list_commands(context)]
        parts.append("\n".join(f"- [`{words} {name}`](#{anchor})" for name, anchor in inner))
    own = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if own:
        parts.append(_options_table(own, context))
    if isinstance(command, Command) and command.examples:
        parts.append(f"```sh\n{command.examples}\n```")
    return "\n\n".join(part for part in parts if part)


def _paragraphs(text: str) -> str:
    lines = [line.strip() for line in text.replace("\b\n", "").strip().split("\n")]
    return "\n".join(lines)


def _options_table(options: list[click.Option], context: click.Context) -> str:
    rows = ["| option | meaning |", "|---|---|"]
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            rows.append(f"| `{_cell(record[0])}` | {_cell(record[1])} |")
    return "\n".join(rows)


def settings_page() -> str:
    """docs/reference/settings.md"""
    parts = [SETTINGS_HEAD.rstrip(), MADE_BY]
    for section, declared in groupby(keys(), key=lambda key: key.name.partition(".")[0]):
        parts += [f"## {section}", config_file.section_docs()[section]]
        rows = ["| key | default | environment, flag | meaning |", "|---|---|---|---|"]
        for key in declared:
            named = f"`{key.env}`" + (f", `{key.flag}`" if key.flag else "")
            default = "" if key.default is None else f"`{config_file.yaml_value(key.default)}`"
            meaning = _cell(f"{key.doc} Must be {key.check.allowed}.")
            rows.append(f"| `{key.name}` | {default} | {named} | {meaning} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


METRICS_HEAD = """\
# Metrics

In Prometheus' text format. The API answers `/metrics` on its own port, the same from each of its processes;
with API keys it takes one of scope read (`authorization: {credentials: rrk_…}` in the scrape configuration).
A daemon shows its own at `http://HOST:PORT/metrics` once it has a port: `metrics.prequeuer_port`,
`metrics.dispatcher_port`, `metrics.worker_port`, on `metrics.host` (loopback unless set). They are off by
default: a port that nobody asked for is one that somebody has to close. Several workers on one machine take
the ports from `metrics.worker_port` on.

Figures of a daemon are of that process and begin at 0 when it starts; those of queues and schedules are the
store's, so that it is enough to scrape one API.
"""


def metrics_page() -> str:
    """docs/reference/metrics.md"""
    parts = [METRICS_HEAD.rstrip(), MADE_BY]
    for source in ("api", "prequeuer", "dispatcher", "worker"):
        rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
        for metric in METRICS:
            if source in metric.sources:
                labels = ", ".join(f"`{label}`" for label in metric.labels)
                rows.append(f"| `{PREFIX}{metric.name}` | {metric.kind} | {labels} | {_cell(metric.doc)} |")
        parts += [f"## {source}", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    """Text that cannot end a table cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


MADE: dict[str, Callable[[], str]] = {
    "docs/reference/cli.md": commands_page,
    "docs/reference/settings.md": settings_page,
    "docs/reference/rest.md": lambda: rest_page(ROOT / "docs" / "openapi.yml", MADE_BY),
    "docs/reference/metrics.md": metrics_page,
    "docs/reference/commands-and-tests.md": lambda: shown_page(MADE_BY),
    "config/config.yaml": config_file.document,
}


def main(arguments: list[str]) -> int:
    """0 when all is up to date or was written; 1 when --check found something old."""
    old = [name for name, make in MADE.items() if _content(ROOT / name) != make()]
    if "--check" in arguments:
        for name in old:
            print(f"{name} is out of date: run python docs/generate.py", file=sys.stderr)
        return 1 if old else 0
    for name in old:
        target = ROOT / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(MADE[name](), encoding="utf-8")
        print(f"wrote {name}")
    return 0


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
