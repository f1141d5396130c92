"""What Thunderbird makes of an iCalendar text: its own library, ical.js, run by node."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

PACKAGE = "ical.js@2.2.1"
FOLDER = Path(__file__).parents[2] / "build" / "ical.js"
_LIBRARY = FOLDER / "node_modules" / "ical.js" / "dist" / "ical.js"
_PROGRAM = Path(__file__).with_name("expand.mjs")
_SECONDS = 60


def require() -> None:
    """Skip the test where there is no node, or where the library cannot be had."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed (Debian: apt-get install nodejs npm)")
    if not _LIBRARY.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(FOLDER), PACKAGE]
        try:
            subprocess.run(command, check=True, timeout=_SECONDS, capture_output=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip(f"npm could not install {PACKAGE}")


def instants(text: str, start: datetime, end: datetime) -> dict[str, list[datetime]]:
    """By UID the instances in [start, end), in UTC."""
    bounds = [str(int(each.timestamp())) for each in (start, end)]
    run = subprocess.run(
        ["node", str(_PROGRAM), str(_LIBRARY), *bounds],
        input=text,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, list[int]] = json.loads(run.stdout)
    return {
        uid: sorted(datetime.fromtimestamp(each, UTC) for each in moments) for uid, moments in found.items()
    }
