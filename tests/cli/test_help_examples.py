"""The examples in the help texts are run, on a store that has what they name."""

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.test_help import EVERY

NEEDS = re.compile(
    r"rrcli (up|demo|daemon|api|top|schedule edit|events watch|db rekey|completion)\b|"
    r"watch rrcli|\bssh\b|--server|pbpaste|MONGO_URI|whsec_…"
)
"""Programs that run until Ctrl-C, another machine, a person; they have tests of their own."""

EVENT = re.compile(r"65f1c0(?:a2b3c4)?")
RULE = "DTSTART:20261101T083000Z\nRRULE:FREQ=DAILY;UNTIL=20261227T083000Z"
VEVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
    "{}SUMMARY:Tea\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
HOLIDAYS = VEVENT.format("DTSTART;VALUE=DATE:20301225\r\n")
FILES = {
    "events.ics": VEVENT.format("DTSTART:20260101T083000Z\r\nRRULE:FREQ=DAILY\r\n"),
    "holidays.ics": HOLIDAYS,
    "feiertage.ics": HOLIDAYS,
    "rule.txt": RULE,
    "schedules.yaml": "- {name: new, every: 15m, callback_url: 'https://example.org/', tags: [team-a]}\n",
    "more.yaml": "- {name: more, every: 2h, callback_url: 'https://example.org/', tags: [team-a]}\n",
    "schedules/first.yaml": "- {name: one, every: 1h, callback_url: 'https://a.example', tags: [team-a]}\n",
}


def lines(text: str) -> list[str]:
    return re.sub(r"\\\n\s*", "", text).splitlines()


EXAMPLES = [
    (" ".join(path), line)
    for path, command in EVERY
    for line in lines(command.examples)
    if not NEEDS.search(line)
]


@pytest.fixture
def named(run, create, tmp_path):
    """Makes what the examples name; the ids that they print, each with one that there is."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    schedule = create("report", "-H", "X-Old: 1", rule=RULE)
    create("nightly-report")
    run("schedule", "trigger", "report")
    event = run("events", "pending", "report", "-o", "ids").out.split()[0]
    return {"show 65f1c0 ": f"show {schedule} ", "65f1c0a2b3c4": event, "--if-match 3": "--if-match 1"}


def arranged(run, line, named):
    """The example with ids that there are, after what has to be done first."""
    if "events cancel" not in line:
        run("events", "cancel", named["65f1c0a2b3c4"])
    if "schedule resume" in line:
        run("schedule", "pause", "report")
    if "schedule unskip" in line:
        run("schedule", "skip", "report")
    if re.search("calendar (show|delete)|exclude-calendar", line):
        run("calendar", "import", "holidays.ics")
    if "apikey revoke" in line:
        key = run("apikey", "create", "--name", "ci", "--scope", "read").out
        named |= {"4f0c1d2e3a4b": key.split("_")[1]}
    for printed, here in named.items():
        line = line.replace(printed, here)
    # What a terminal would ask.
    return line + " --yes" if re.search("schedule delete|db purge", line) and "--yes" not in line else line


@pytest.mark.parametrize(("path", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_runs(run, named, path, line):
    line = arranged(run, line, named)
    command, _, source = re.sub(r"^KEY=\$\((.*)\)$|\s[|>] .*$", r"\1", line).partition(" < ")
    done = run(*shlex.split(command)[1:], stdin=Path(source).read_bytes() if source else b"")
    assert done.code in ((0, 1) if path == "doctor" else (0,)), done.err
