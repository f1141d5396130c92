"""`rrcli demo`: the main job, seen happening, in a scratch folder."""

import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rrcli.cli.group import Command
from rrcli.cli.state import State, pass_state

if TYPE_CHECKING:
    from rich.table import Table

    from rrcli.core.models import Event, Schedule
    from rrcli.operations.context import Context
    from rrcli.repository.base import Depths
    from rrcli.settings import Settings

INTERVAL_SECONDS = 2
REFRESH_SECONDS = 0.1
START_SECONDS = 30.0
SETTLE_SECONDS = 5.0
ROWS = 8


@click.command("demo", cls=Command, examples="rrcli demo --seconds 20")
@click.option(
    "--seconds", type=click.IntRange(4, 3600), default=12, show_default=True, help="How long to watch."
)
@pass_state
def demo(state: State, seconds: int) -> int:
    """See it work: stack, schedule, calls and ledger, in a scratch folder that is removed afterwards.

    Exits with 1 when an occurrence was lost or called twice.
    """
    state.require_local()
    folder = Path(tempfile.mkdtemp(prefix="rrcli-demo-"))
    try:
        with _receiver() as receiver, _stack(folder) as settings:
            return _run(state, settings, folder, receiver, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A local HTTP server that counts calls by their webhook-id."""

    url: str
    calls: dict[str, int]


@contextmanager
def _receiver() -> Iterator[Receiver]:
    calls: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            event_id = self.headers["webhook-id"]
            calls[event_id] = calls.get(event_id, 0) + 1
            self.send_response(204)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The table shows what arrives."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Receiver(url=f"http://127.0.0.1:{server.server_port}/hook", calls=calls)
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _stack(folder: Path) -> Iterator["Settings"]:
    """The same stack as `rrcli up`, on a free port, its log in the folder."""
    from rrcli.cli import supervise

    settings = _scratch_settings(folder)
    configuration = supervise.prepare(settings, folder)
    with (folder / "stack.log").open("wb") as log:
        process = subprocess.Popen(
            supervise.command(configuration),
            env=supervise.environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield settings
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(settings.worker.grace_seconds + 10)


def _scratch_settings(folder: Path) -> "Settings":
    from rrcli.settings import Settings

    settings = Settings()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return replace(
        settings,
        embedded=replace(settings.embedded, data_dir=str(folder)),
        api=replace(settings.api, port=port, workers=1),
        log=replace(settings.log, level="info", format="text"),
    )


def _run(state: State, settings: "Settings", folder: Path, receiver: Receiver, seconds: int) -> int:
    from rrcli.operations import schedules
    from rrcli.operations.context import Context
    from rrcli.repository.factory import open_repository

    with open_repository(settings) as repository:
        repository.init()
        context = Context(repository=repository, clock=state.clock, settings=settings)
        _await_daemons(state, context)
        schedule = schedules.resolve(context, _create(state, folder, receiver))
        _watch(state, context, schedule, seconds)
        return _summary(state, context, schedule, receiver, folder)


def _await_daemons(state: State, context: "Context") -> None:
    """Until all three daemons give signs of life; raises SchedulerError when they do not."""
    from rrcli.errors import SchedulerError
    from rrcli.operations.status import status

    state.remark("Starting API, prequeuer, dispatcher and worker on the embedded store …")
    deadline = time.monotonic() + START_SECONDS
    while absent := status(context).absent:
        if time.monotonic() > deadline:
            raise SchedulerError(f"Not started within {START_SECONDS:g} s: {', '.join(absent)}.")
        time.sleep(REFRESH_SECONDS)


def _create(state: State, folder: Path, receiver: Receiver) -> str:
    """The schedule's id, made by the command line as a user would."""
    from rrcli.cli import supervise
    from rrcli.errors import SchedulerError

    arguments = ["schedule", "create", "--name", "demo"]
    arguments += ["--rrule", f"FREQ=SECONDLY;INTERVAL={INTERVAL_SECONDS}"]
    arguments += ["--callback-url", receiver.url, "--body", '{"task": "backup"}']
    state.remark(f"$ rrcli {shlex.join(arguments)}")
    done = subprocess.run(
        [sys.executable, "-m", "rrcli", *arguments, "-o", "ids"],
        env=supervise.environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SchedulerError(f"The schedule could not be created: {done.stderr.strip()}")
    return done.stdout.strip()


def _watch(state: State, context: "Context", schedule: "Schedule", seconds: int) -> None:
    """The live table on a terminal; a line for each finished event elsewhere."""
    from rich.live import Live

    deadline = time.monotonic() + seconds
    seen: set[str] = set()
    live = Live(console=state.err, refresh_per_second=10) if state.err.is_terminal else None
    if live:
        live.start()
    try:
        while time.monotonic() < deadline:
            events = _events(context, schedule)
            if live:
                live.update(_table(events, context.repository.queues.depths(), schedule, context.now()))
            else:
                _print_finished(state, events, seen)
            time.sleep(REFRESH_SECONDS)
    finally:
        if live:
            live.stop()


def _events(context: "Context", schedule: "Schedule") -> Sequence["Event"]:
    """The newest finished and the next pending events, oldest first."""
    done = context.repository.events.history(schedule.id, limit=ROWS).items
    waiting = context.repository.events.pending(schedule.id, limit=2).items
    return [*reversed(done), *waiting][-ROWS:]


def _print_finished(state: State, events: Sequence["Event"], seen: set[str]) -> None:
    for event in events:
        if event.state.final and event.id not in seen:
            seen.add(event.id)
            state.remark(f"{event.run_time:%H:%M:%S}  {_path(event)}  {_lateness(event)}")


def _path(event: "Event") -> str:
    return " → ".join(step.status for step in event.status)


def _lateness(event: "Event") -> str:
    return "" if event.lateness_ms is None else f"{event.lateness_ms:.1f} ms late"


def _table(events: Sequence["Event"], depths: "Depths", schedule: "Schedule", now: datetime) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(
        title=f"{schedule.name}: every {INTERVAL_SECONDS} s",
        caption=f"ready {depths.ready} · worker {depths.worker} · in flight {depths.in_flight}"
        f" · {now:%H:%M:%S} UTC",
        box=box.SIMPLE_HEAD,
    )
    for title in ("run time", "event", "status", "answer", "lateness"):
        table.add_column(title, no_wrap=True, min_width=46 if title == "status" else None)
    for event in events:
        style = "green" if event.state.final else "dim"
        answer = str(event.attempts[-1].status_code or "") if event.attempts else ""
        table.add_row(
            f"{event.run_time:%H:%M:%S}", event.id[-8:], _path(event), answer, _lateness(event), style=style
        )
    return table


def _summary(state: State, context: "Context", schedule: "Schedule", receiver: Receiver, folder: Path) -> int:
    """Compare rule, ledger and receiver; 0 when nothing was lost and nothing called twice."""
    from rrcli.core.models import EventState
    from rrcli.operations.rules import recurrence_of

    until = context.now()
    due = list(recurrence_of(schedule).occurrences(after=schedule.created_at, before=until))
    done: dict[datetime, Event] = {}
    deadline = time.monotonic() + SETTLE_SECONDS
    while len(done) < len(due) and time.monotonic() < deadline:
        page = context.repository.events.history(schedule.id, limit=10_000)
        done = {
            event.run_time: event
            for event in page.items
            if event.state is EventState.COMPLETED and event.run_time < until
        }
        time.sleep(REFRESH_SECONDS)
    delivered = [event for event in done.values() if receiver.calls.get(event.id)]
    twice = sum(calls - 1 for calls in receiver.calls.values())
    lost = len(due) - len(delivered)
    lateness = [event.lateness_ms for event in delivered if event.lateness_ms is not None]
    click.echo(f"occurrences due  {len(due)}")
    click.echo(f"delivered        {len(delivered)}")
    if lateness:
        click.echo(f"lateness         p50 {statistics.median(lateness):.1f} ms, max {max(lateness):.1f} ms")
    click.echo(f"called twice     {twice}")
    click.echo(f"lost: {lost}")
    if lost or twice or not due:
        state.remark(f"Something went wrong; the stack's log:\n{(folder / 'stack.log').read_text()}")
        return 1
    return 0
