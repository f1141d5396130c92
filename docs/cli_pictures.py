"""docs/pictures/cli/: what each command shows on a terminal of 80 columns, from real runs.

    python docs/cli_pictures.py

A stack runs in a scratch folder with a receiver of its own; the commands are typed there one after the other.
Each picture is an SVG; index.md shows them all, with the same as text for those who cannot see pictures.
"""

import http.server
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pictures import draw, run, screen

TARGET = Path(__file__).parent / "pictures" / "cli"
COLUMNS, ROWS = 80, 60
PROGRAM = [sys.executable, "-m", "rrcli"]
RULE = "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=8;BYMINUTE=30;BYSECOND=0"

HOLIDAYS = """\
BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:christmas
DTSTART;VALUE=DATE:20301225
RRULE:FREQ=YEARLY
SUMMARY:Christmas Day
END:VEVENT
END:VCALENDAR
"""

DECLARED = """\
schedules:
  - name: nightly-backup
    rrule: FREQ=DAILY;BYHOUR=2;BYMINUTE=0;BYSECOND=0
    timezone: Europe/Berlin
    callback_url: {url}/backup
"""

LINES: tuple[tuple[str, str], ...] = (
    ("help", "--help"),
    (
        "create",
        "schedule create --name report --timezone Europe/Berlin --rrule '{rule}' --callback-url {url}/report",
    ),
    (
        "create-at",
        'schedule create --name reminder --at +10m --callback-url {url}/tea --body \'{{"text": "tea"}}\'',
    ),
    ("create-every", "schedule create --name pulse --every 2s --callback-url {url}/pulse --tag monitoring"),
    ("list", "schedule list"),
    ("show", "schedule show report"),
    ("update", "schedule update report --method POST --timeout 10"),
    ("pause", "schedule pause report"),
    ("resume", "schedule resume report"),
    ("trigger", "schedule trigger report"),
    ("calendar-import", "calendar import holidays.ics"),
    ("calendar-list", "calendar list"),
    ("calendar-show", "calendar show holidays"),
    ("skip", "schedule skip report --reason 'Office is closed'"),
    ("unskip", "schedule unskip report"),
    ("pending", "events pending pulse --limit 5"),
    ("history", "events history pulse --limit 5"),
    ("event", "events show {event}"),
    ("why", "events why {event}"),
    ("replay-event", "events replay {event}"),
    ("watch", "events watch pulse --for 4s"),
    ("replay", "schedule replay pulse --from {past} --to now --only missed --dry-run"),
    ("audit", "schedule audit pulse"),
    ("export-ics", "schedule export report --format ics"),
    ("preview", "preview report -n 5"),
    ("calendar", "preview report --calendar"),
    ("explain", "preview --rrule '{rule}' --timezone Europe/Berlin --explain"),
    ("apply", "apply -f schedules.yaml --dry-run"),
    ("export", "export report"),
    ("simulate", "simulate --from-store --days 2"),
    ("status", "status"),
    ("top", "top"),
    ("doctor", "doctor"),
    ("config", "config show"),
    ("apikey-list", "apikey list"),
    ("db-init", "db init"),
    ("db-check", "db check"),
    ("json", "schedule show reminder -o json"),
    ("csv", "events history pulse --limit 3 -o csv"),
    ("remote", "schedule list --server {server}"),
    ("typo-command", "shcedule list"),
    ("typo-name", "schedule show reprot"),
    ("wrong-rule", "preview --rrule FREQ=DALY"),
    ("purge", "db purge --older-than 90d --yes"),
    ("delete", "schedule delete reminder --yes"),
)
"""File name and command line; what stands in braces is filled in."""


def main() -> int:
    """Run everything and write the pictures; 1 when a command broke off in a way that it should not."""
    folder = Path(tempfile.mkdtemp(prefix="rrcli-pictures-"))
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    try:
        with _receiver() as url, _stack(folder) as server:
            (folder / "holidays.ics").write_text(HOLIDAYS)
            (folder / "schedules.yaml").write_text(DECLARED.format(url=url))
            words = {"url": url, "server": server, "rule": RULE, "past": "2020-01-01T00:00:00Z"}
            return _all(words)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _all(words: dict[str, str]) -> int:
    parts, broken = [INDEX_HEAD.rstrip()], 0
    for name, line in LINES:
        if "{event}" in line:
            words["event"] = _event()
        shown = line.format(**words)
        code, output = run(
            [*PROGRAM, *shlex.split(shown)], columns=COLUMNS, rows=ROWS, typed="q" if name == "top" else ""
        )
        text = f"$ rrcli {_public(shown)}\n{_public(screen(output))}"
        (TARGET / f"{name}.svg").write_text(
            draw(text, columns=COLUMNS, title=f"rrcli {name}"), encoding="utf-8"
        )
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).rstrip()
        parts.append(f"## {name}\n\n![rrcli {name}]({name}.svg)\n\n```text\n{plain}\n```")
        if "internal error" in plain or "Traceback" in plain:
            print(plain, file=sys.stderr)
            broken = 1
        print(f"{name}: {code}")
    (TARGET / "index.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return broken


INDEX_HEAD = """\
# Each command in a picture

Made by `make pictures` from real runs, on a terminal of 80 columns.
"""


def _event() -> str:
    """An event of `pulse` that has ended, once there is one."""
    for _ in range(100):
        done = subprocess.run(
            [*PROGRAM, "events", "history", "pulse", "--limit", "1", "-o", "ids"],
            capture_output=True,
            text=True,
            check=True,
        )
        if done.stdout.strip():
            return done.stdout.strip()
        time.sleep(0.2)
    raise RuntimeError("nothing was called")


def _public(text: str) -> str:
    """The text without the names of the machine that drew it."""
    text = re.sub(r"\S*/rrcli-pictures-[^/\s]+", "~/scheduler", text)
    return text.replace(os.uname().nodename, "host")


@contextmanager
def _receiver() -> Iterator[str]:
    """A server that says yes to everything."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _stack(folder: Path) -> Iterator[str]:
    """`rrcli up` on a store in the folder; its address."""
    port = "8765"
    os.environ |= {"RRCLI_DATA_DIR": str(folder / "data"), "API_PORT": port, "TZ": "Europe/Berlin"}
    os.chdir(folder)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*PROGRAM, "up", "--embedded"], stdout=log, stderr=log)
    try:
        time.sleep(5)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    sys.exit(main())
