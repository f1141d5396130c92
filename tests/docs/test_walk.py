"""A newcomer's walk: the commands that README, tutorial and how-tos print are run, on a real stack.

What differs from the page: ports, places that lead off this machine, and waits that are longer than a test's.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from rrcli.settings import Settings
from tests.docs.markdown import ROOT, blocks, shell_lines
from tests.support import stack as stacks
from tests.support.receiver import Receiver, receiver

HOW_TO = ROOT / "docs" / "how-to"
NOT_HERE = re.compile(
    r"/opt/|/etc/|/var/|\.\.\.|\bssh\b|https://scheduler|kubectl|docker|systemctl|"
    r"rrcli (up|top|db rekey|events watch|events verify)|^(python|pip|openssl|curl)"
)
"""Needs a person, root, another machine, or something of one's own where dots stand."""

OF_THEIR_OWN = ("remote", "migrate", "audit-and-replay")
"""Pages that need a stack, or something laid ready, and so have a test each."""

PAGES = [page for page in sorted(HOW_TO.glob("*.md")) if page.stem not in OF_THEIR_OWN]
REPORT = (
    "rrcli schedule create --name report --rrule 'DTSTART:20261001T083000Z\nRRULE:FREQ=DAILY' "
    "--callback-url {hook}"
)
SET_UP = {
    "calendars-and-ics": REPORT.replace("name report", "name morning-report"),
    "high-availability": REPORT.replace("name report", "name nightly-report"),
    "declarative-files": "mkdir team-a && cp schedules.yaml team-a/",
    "security": REPORT,
    "skips-and-holidays": REPORT,
    "upgrades-and-backups": REPORT,
}
VEVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    "{}SUMMARY:Tea\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
FILES = {
    "events.ics": VEVENT.format(
        "DTSTAMP:20260101T000000Z\r\nDTSTART:20260101T083000Z\r\nRRULE:FREQ=DAILY\r\n"
    ),
    "holidays.ics": VEVENT.format("DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20301225\r\n"),
}
Shell = Callable[..., str]


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiver() as started:
        yield started


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stacks.Stack]:
    """What `rrcli up` starts, on a port of its own."""
    with stacks.whole(tmp_path_factory.mktemp("walk")) as (started, _):
        yield started


def shell_of(folder: Path, hook: Receiver, environment: dict[str, str], **places: str) -> Shell:
    """Runs one printed command in `folder`, with what leads elsewhere led here; its output."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    later = str(datetime.now(UTC).year + 1)  # noqa: TID251 the commands use the machine's clock

    def run(command: str, *, codes: tuple[int, ...] = (0,)) -> str:
        command = command.replace("https://example.com", hook.url("")).replace("2026-12", f"{later}-12")
        for printed, here in places.items():
            command = command.replace(printed, here)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=folder,
            env=environment | {"PATH": path, "HOME": str(folder), "TZ": "UTC", "REPORT_TOKEN": "t"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in codes, f"$ {command}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run


def shape(line: str) -> str:
    """A line without what differs from run to run: ids, numbers, weekdays, distances."""
    line = re.sub(r"\b[0-9a-f]{24}\b", "ID", line)
    line = re.sub(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b", "DAY", line)
    line = re.sub(r"\bin \d.*", "in …", line)
    return " ".join(re.sub(r"[+-]?\d+", "0", line).split())


def shown(page: Path, command: str) -> list[str]:
    """What the page prints below a command."""
    for block in blocks(page):
        if block.language == "console" and f"$ {command}\n" in block.text:
            return block.text.split(f"$ {command}\n")[1].split("\n$ ")[0].splitlines()
    raise AssertionError(f"{page.name} does not print {command}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_how_to_run_as_printed(page: Path, tmp_path: Path, hook: Receiver) -> None:
    lines = [line for line in shell_lines(page) if not NOT_HERE.search(line)]
    assert lines
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    for block in blocks(page):
        if block.language == "yaml" and "schedules:" in block.text:
            (tmp_path / "schedules.yaml").write_text(block.text.replace("https://example.com", hook.url("")))
    store = stacks.embedded(tmp_path)
    run = shell_of(tmp_path, hook, stacks.environment(store))
    if page.stem in SET_UP:
        run(SET_UP[page.stem].format(hook=hook.url("/hook")))
    for line in lines:
        run(line, codes=(0, 1) if "doctor" in line or " status" in line else (0,))


def test_the_commands_of_audit_and_replay_run_as_printed(
    tmp_path: Path, stack: stacks.Stack, hook: Receiver
) -> None:
    run = shell_of(tmp_path, hook, dict(stack.environment))
    run(REPORT.format(hook=hook.url("/report")))
    run("rrcli schedule trigger report")

    def ended() -> str:
        return run("rrcli events history report -o ids").strip()

    stacks.wait_until(lambda: bool(ended()), what="the end of a call")
    run = shell_of(tmp_path, hook, dict(stack.environment), **{"65f1c0a2b3c4": ended()})
    for line in shell_lines(HOW_TO / "audit-and-replay.md"):
        run(line, codes=(0, 1) if " audit " in line else (0,))


def test_the_commands_of_remote_run_as_printed(tmp_path: Path, hook: Receiver) -> None:
    """On a service that asks for keys, and nothing of its store at hand."""
    store = stacks.embedded(tmp_path)
    port = str(stacks.free_port())
    there = shell_of(tmp_path, hook, stacks.environment(store))
    there(REPORT.format(hook=hook.url("/report")))
    key = there("rrcli apikey create --name NAME --scope write").strip()
    url = f"http://127.0.0.1:{port}"
    with (
        stacks.running(store, tmp_path / "log", "api", API_PORT=port, API_WORKERS="1") as api,
        stacks.client(api),
    ):
        nowhere = stacks.environment(Settings(), RRCLI_DATA_DIR="/dev/null/no/store")
        run = shell_of(
            tmp_path,
            hook,
            nowhere,
            **{"https://scheduler.example.org": url, "rrk_…": key, "watch": "watch --for 100ms"},
        )
        (block,) = (each.text for each in blocks(HOW_TO / "remote.md") if each.language == "bash")
        assert "report" in run(block.replace("\nrrcli status", "\nrrcli status || test $? = 1"))
        run(f"rrcli doctor --server {url} --api-key {key}", codes=(0, 1))
        run(f"rrcli schedule show report --reveal --server {url} --api-key {key}", codes=(1,))
        for refused in ("up", "demo", "api", "daemon worker", "db init", "apikey list"):
            run(f"rrcli {refused} --server {url}", codes=(2,))


ORIGINAL = (
    {
        "_id": {"$oid": "65f1c0a2b3c465f1c0a2b3c4"},
        "name": "Daily Backup",
        "rrule": "FREQ=DAILY;INTERVAL=1",
        "callback_url": "https://example.com/backup",
        "method": "POST",
        "headers": {"Authorization": "Bearer abc123"},
        "body": '{"task": "backup"}',
    },
    {
        "_id": {"$oid": "65f1c0a2b3c465f1c0a2b3c5"},
        "name": "Ping",
        "rrule": "DTSTART:20270101T083000Z\nRRULE:FREQ=DAILY",
        "callback_url": "https://example.com/ping",
        "method": "",
        "headers": None,
        "body": "",
    },
)


@pytest.mark.skipif(shutil.which("jq") is None, reason="the page's pipe needs jq")
def test_the_schedules_of_the_original_are_moved_as_printed(
    tmp_path: Path, stack: stacks.Stack, hook: Receiver
) -> None:
    """What mongoexport prints of them is laid ready; the rest of the pipe is the page's."""
    exported = "\n".join(map(json.dumps, ORIGINAL))
    (tmp_path / "mongoexport").write_text(f"#!/bin/sh\ncat <<'END'\n{exported}\nEND\n")
    (tmp_path / "mongoexport").chmod(0o755)
    (pipe,) = (each.text for each in blocks(HOW_TO / "migrate.md") if each.text.startswith("mongoexport"))
    port = stack.environment["API_PORT"]
    run = shell_of(tmp_path, hook, dict(stack.environment), **{"127.0.0.1:8081": f"127.0.0.1:{port}"})
    run(f"PATH=.:$PATH\n{pipe}")
    moved = json.loads(run("rrcli export 'Daily Backup' Ping --reveal -o json"))
    assert "Bearer abc123" in json.dumps(moved)
    assert "DTSTART:20270101T083000Z" in json.dumps(moved)
    run("rrcli schedule delete 'Daily Backup' --yes && rrcli schedule delete Ping --yes")


def test_the_quick_start_runs_as_printed(tmp_path: Path, stack: stacks.Stack, hook: Receiver) -> None:
    page = ROOT / "README.md"
    port = stack.environment["API_PORT"]
    run = shell_of(tmp_path, hook, dict(stack.environment), **{"127.0.0.1:8080": f"127.0.0.1:{port}"})
    run("rrcli schedule delete report --yes", codes=(0, 3))
    for block in blocks(page):
        if block.language == "bash" and "rrcli up" not in block.text:
            run(block.text)
    for command in (
        "rrcli schedule show report",
        "rrcli events pending report",
        "rrcli events history report",
    ):
        assert f"`{command}`" in page.read_text()
        run(command)
    names = {each["name"] for each in httpx.get(f"http://127.0.0.1:{port}/api/schedules").json()["schedules"]}
    assert names >= {"report", "Daily Backup"}
    (preview,) = (line for line in shell_lines(page) if line.startswith("rrcli preview"))
    printed = [shape(line) for line in shown(page, preview)]
    assert [shape(line) for line in run(preview).splitlines()] == printed


def test_the_tutorial_leads_to_a_first_callback(tmp_path: Path, stack: stacks.Stack, hook: Receiver) -> None:
    """Its own receiver is called, is away, and is called again; every console block begins as printed."""
    page = ROOT / "docs" / "tutorial.md"
    port = str(stacks.free_port())
    (program,) = (block.text for block in blocks(page) if block.language == "python")
    (tmp_path / "receiver.py").write_text(program.replace("9000", port))
    quick = {"127.0.0.1:9000": f"127.0.0.1:{port}", "INTERVAL=10'": "INTERVAL=1'", "base 15": "base 1"}
    run = shell_of(tmp_path, hook, dict(stack.environment), **quick, **{"6b04684f": "EVENT"})
    heard = tmp_path / "heard"

    def listen() -> subprocess.Popen[bytes]:
        with heard.open("ab") as out:
            return subprocess.Popen([sys.executable, "receiver.py"], cwd=tmp_path, stdout=out)

    def told(text: str) -> bool:
        return text in heard.read_text()

    def step(command: str) -> None:
        (first, *_) = run(command).splitlines()
        begun = shape(shown(page, command)[0])
        assert shape(first) == begun or first.split()[:1] == begun.split()[:1], command

    listening = listen()
    try:
        commands = [line for line in shell_lines(page) if line.startswith("rrcli ") and line != "rrcli up"]
        create_hello, history, pending, pause, create_once, pending_once, show, *delete = commands
        step(create_hello)
        stacks.wait_until(
            lambda: heard.read_text().count('attempt 1 {"hello": "world"}') >= 2, what="two calls"
        )
        for command in (history, pending, pause):
            step(command)
        listening.terminate()
        listening.wait(10)
        step(create_once)
        stacks.wait_until(lambda: "retry" in run(pending_once), what="a failed attempt")
        event = run(f"{pending_once} -o ids").strip()
        listening = listen()
        stacks.wait_until(lambda: told('{"once": true}'), what="another attempt")
        run = shell_of(tmp_path, hook, dict(stack.environment), **{"6b04684f": event})
        stacks.wait_until(lambda: "completed" in run(show), what="the end of the event")
        assert "Timeline" in run(show)
        for command in delete:
            step(command)
    finally:
        listening.kill()
        listening.wait()
