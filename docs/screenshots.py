"""Pictures of the dashboard in docs/pictures/page/: a real service on a store with eighty days of history.

python docs/screenshots.py, or `make pictures`. Needs Chromium.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket

import httpx
from playwright.sync_api import Browser, sync_playwright

from rrcli.clock import SystemClock
from rrcli.core.ids import occurrence_id
from rrcli.core.models import Attempt, Event, EventState, Schedule, Status
from rrcli.operations import changes, schedules
from rrcli.operations.context import Context
from rrcli.operations.rules import recurrence_of
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings

FOLDER = Path(__file__).parent / "pictures" / "page"
DESK, PHONE = {"width": 1100, "height": 760}, {"width": 390, "height": 760}
SHOTS = (
    ("schedules", "/", "light", DESK),
    ("schedules-dark", "/", "dark", DESK),
    ("schedule", "/schedules/{id}", "light", DESK),
    ("schedule-dark", "/schedules/{id}", "dark", DESK),
    ("schedule-phone", "/schedules/{id}", "light", PHONE),
    ("swagger-ui", "/swagger-ui", "light", DESK),
)
EXAMPLES = (
    ("second Monday report", "FREQ=MONTHLY;BYDAY=2MO;BYHOUR=23;BYMINUTE=30;BYSECOND=0", ["finance"], 0.0),
    ("nightly backup", "FREQ=DAILY;BYHOUR=2;BYMINUTE=0;BYSECOND=0", ["ops"], 0.03),
    ("invoice reminder", "FREQ=HOURLY;INTERVAL=3", ["finance"], 0.02),
    ("health ping", "FREQ=MINUTELY;INTERVAL=30", ["ops"], 0.004),
    ("warehouse sync", "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYHOUR=9;BYMINUTE=0;BYSECOND=0", [], 0.3),
)
SHOWN = "invoice reminder"
BACK = timedelta(days=80)


def main() -> None:
    """Fill a store, start the service, take the pictures."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("Pictures of pages take Chromium, which is not on this machine.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        shown = _fill(Path(folder))
        with _service(folder) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for name, path, scheme, size in SHOTS:
                _take(browser, FOLDER / f"{name}.png", url + path.format(id=shown), scheme, size)
            browser.close()


def _take(browser: Browser, target: Path, url: str, scheme: str, size: dict[str, int]) -> None:
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="America/New_York",
    )
    page = context.new_page()
    page.goto(url, wait_until="networkidle")
    page.screenshot(path=target)
    context.close()
    print(f"took {target.name}")


def _fill(folder: Path) -> str:
    """Schedules with a past; the id of the one that is shown."""
    chance = random.Random(5)  # noqa: S311 (nothing is secret here)
    with SqliteRepository.open(folder / "rrule-scheduler.db") as repository:
        context = Context(repository=repository, clock=SystemClock(), settings=Settings())
        made = {}
        for name, rule, tags, failing in EXAMPLES:
            start = (context.now() - BACK).replace(minute=0, second=0, microsecond=0)
            fields = {
                "name": name,
                "rrule": f"DTSTART;TZID=America/New_York:{start:%Y%m%dT%H%M%S}\nRRULE:{rule}",
                "callback_url": f"https://hooks.example.com/{name.replace(' ', '-')}",
                "body": '{"task": "run"}',
                "tags": tags,
            }
            made[name] = schedules.create(context, fields)
            ended = [*_ended(made[name], context.now(), failing, chance)]
            repository.events.add(ended)
            repository.events.archive(ended, context.now())
        changes.pause(context, made["warehouse sync"].id, reason="Warehouse closed until January")
    return made[SHOWN].id


def _ended(schedule: Schedule, now: datetime, failing: float, chance: random.Random) -> Iterator[Event]:
    for instant in recurrence_of(schedule).between(datetime(2000, 1, 1, tzinfo=UTC), now, 100_000):
        failed = chance.random() < failing
        state = EventState.ERROR if failed else EventState.COMPLETED
        attempt = Attempt(
            time=instant, duration_ms=chance.lognormvariate(4, 0.8), status_code=500 if failed else 200
        )
        said = "HTTP 500: gave up after 4 attempts" if failed else "Event successfully processed"
        yield Event(
            id=occurrence_id(schedule.id, instant),
            schedule_id=schedule.id,
            run_time=instant,
            due=instant,
            revision=1,
            status=(Status(time=instant, status=state, message=said),),
            created_at=instant,
            attempts=(attempt,),
            lateness_ms=chance.uniform(1, 5),
        )


@contextmanager
def _service(folder: str) -> Iterator[str]:
    """The whole stack on that store; yields its URL."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = dict(os.environ) | {"RRCLI_DATA_DIR": folder, "API_PORT": str(port), "API_WORKERS": "1"}
    command = [sys.executable, "-m", "rrcli", "up"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as up:
        try:
            transport = httpx.HTTPTransport(retries=8)  # waits 0, 0.5, 1, 2, ... s until somebody listens
            with httpx.Client(transport=transport, timeout=20) as client:
                client.get(f"http://127.0.0.1:{port}/readyz").raise_for_status()
            yield f"http://127.0.0.1:{port}"
        finally:
            up.terminate()


if __name__ == "__main__":
    main()
