"""How fast occurrences are found, beside other engines in the same run; ratios are what carries over.

Run with `python -m tests.benchmarks.recurrence [--quick]`. `--quick` compares with python-dateutil
only, in this process. Otherwise python-dateutil-rs is installed into a virtual environment of its own
(it takes the place of the dateutil package), rrule.js and rrule-rust with npm, all in a temporary folder.

An engine that would walk for longer than a moment is stopped, and its time estimated from how far it
came (`~`); the engines out of process are asked only where python-dateutil stays below two seconds.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from rrcli.core.recurrence import Recurrence
from tests.benchmarks.results import Cell, Results

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RECENT = datetime(2026, 10, 23, 9, tzinfo=UTC)
STARTS = {"2015": datetime(2015, 1, 1, 9, tzinfo=UTC), "1970": datetime(1970, 1, 1, 9, tzinfo=UTC)}
ZONES = ("UTC", "America/New_York")
RULES = (
    "FREQ=SECONDLY",
    "FREQ=MINUTELY;INTERVAL=5",
    "FREQ=HOURLY;INTERVAL=3",
    "FREQ=DAILY",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "FREQ=MONTHLY;BYMONTHDAY=1,15",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2",
    "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
    "FREQ=DAILY;COUNT=100000",
)
PATIENCE_SECONDS = 0.3
FOREIGN_MOST_SECONDS = 2.0
ROUNDS = 5
MANY = 100_000
SCHEDULES = 1_000_000
HERE = Path(__file__).parent


def text_of(rule: str, zone: str, start: datetime) -> str:
    """The recurrence text, DTSTART at that wall time in the zone."""
    place = f";TZID={zone}" if zone != "UTC" else ""
    return f"DTSTART{place}:{start:%Y%m%dT%H%M%S}{'' if place else 'Z'}\nRRULE:{rule}"


def seconds_each(work: Callable[[], object], times: int) -> float:
    """Seconds of one call: the best of some rounds, so that a busy machine matters less."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(times):
            work()
        best = min(best, (time.perf_counter() - began) / times)
    return best


def dateutil_next_seconds(text: str) -> tuple[float, bool]:
    """Seconds python-dateutil takes to walk to the next occurrence, and whether that is an estimate."""
    rule = rrulestr(text, tzids=ZoneInfo)
    began, first = time.perf_counter(), None
    for count, occurrence in enumerate(rule):
        first = first or occurrence
        if occurrence > NOW:
            break
        if count % 64 == 0 and (passed := time.perf_counter() - began) > PATIENCE_SECONDS:
            return passed * ((NOW - first) / max(occurrence - first, timedelta(seconds=1))), True
    return time.perf_counter() - began, False


def next_occurrences(results: Results, foreign: dict[str, "Foreign"]) -> None:
    """Next occurrence of a parsed rule, window of ten minutes, parsing; against the other engines."""
    rows, found = [], []
    for rule in RULES:
        for zone in ZONES:
            recent = Recurrence.parse(text_of(rule, zone, RECENT))
            youngest = seconds_each(lambda: recent.after(NOW), 200)  # noqa: B023  # called at once
            for year, start in STARTS.items():
                measured = measure_next(text_of(rule, zone, start), youngest, foreign)
                rows.append((f"{rule} {zone.rsplit('/', 1)[-1]} {year}", *measured.cells()))
                found.append((rule, year, measured))
    results.table(
        "Next occurrence of a parsed rule, and the same asked of other engines",
        (
            *(
                "rule, zone, year of DTSTART",
                "parse µs",
                "next µs",
                "window µs",
                "of next, DTSTART a month ago",
            ),
            *(f"{name} µs" for name in ("python-dateutil", *foreign)),
        ),
        rows,
        note="window: all of ten minutes. × is how many times longer the others take, ~ an estimate",
    )
    next_targets(results, found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Next:
    """One rule: seconds of our engine, and cells about the others."""

    parse: float
    following: float
    window: float
    ages: float
    others: list[str]

    def cells(self) -> tuple[Cell, ...]:
        """The row of the table, in microseconds."""
        own = (each * 1e6 for each in (self.parse, self.following, self.window))
        return (*own, self.ages, *self.others)


def measure_next(text: str, youngest: float, foreign: dict[str, "Foreign"]) -> Next:
    """One line of the table."""
    recurrence = Recurrence.parse(text)
    following = seconds_each(lambda: recurrence.after(NOW), 200)
    theirs, estimated = dateutil_next_seconds(text)
    cells = [f"{'~' if estimated else ''}{theirs * 1e6:,.0f} ×{theirs / following:,.0f}"]
    for engine in foreign.values():
        ask = theirs < FOREIGN_MOST_SECONDS
        found = engine.next_seconds(text, recurrence.after(NOW)) if ask else None
        cells.append(f"{found * 1e6:,.0f} ×{found / following:,.0f}" if found else "–")
    return Next(
        parse=seconds_each(lambda: Recurrence.parse(text), 20),
        following=following,
        window=seconds_each(lambda: recurrence.between(NOW, NOW + timedelta(minutes=10), 1000), 50),
        ages=following / youngest,
        others=cells,
    )


def next_targets(results: Results, found: list[tuple[str, str, Next]]) -> None:
    """The slowest of each kind against what was asked."""
    slowest = max(each.following for _, _, each in found) * 1e6
    plain = max(each.following for rule, _, each in found if not re.search("SETPOS|WEEKNO|COUNT", rule)) * 1e6
    ages = median(each.ages for _, year, each in found if year == "1970")
    parse = max(each.parse for _, _, each in found) * 1e6
    for what, asked, reached, met in (
        ("next occurrence, slowest rule", "<= 100 µs", f"{slowest:.1f} µs", slowest <= 100),
        ("without BYSETPOS, BYWEEKNO, COUNT", "<= 30 µs", f"{plain:.1f} µs", plain <= 30),
        ("DTSTART in 1970, of one a month ago, median", "<= 1.2", f"{ages:.2f}", ages <= 1.2),
        ("parsing, slowest rule", "<= 150 µs", f"{parse:.0f} µs", parse <= 150),
    ):
        results.target(what, asked=asked, reached=reached, met=met)


def consecutive(results: Results) -> None:
    """Many occurrences in a row, from DTSTART, as aware UTC datetimes."""
    rows = []
    for rule in RULES:
        for zone in ZONES:
            text = text_of(rule, zone, STARTS["2015"])
            own, number = per_occurrence(lambda: Recurrence.parse(text).occurrences(limit=MANY))  # noqa: B023
            theirs, _ = per_occurrence(lambda: walk_dateutil(text))  # noqa: B023
            rows.append((f"{rule} {zone.rsplit('/', 1)[-1]}", number, own * 1e9, theirs * 1e9, theirs / own))
    columns = ("rule and zone", "occurrences", "ns each", "python-dateutil, ns each", "times longer")
    results.table(f"Up to {MANY:,} consecutive occurrences", columns, rows)
    quicker = median(row[4] for row in rows)
    results.target(
        "consecutive occurrences, beside python-dateutil, median rule",
        asked=">= 10 times as fast",
        reached=f"{quicker:.0f} times",
        met=quicker >= 10,
    )


def walk_dateutil(text: str) -> list[datetime]:
    """The same from python-dateutil, in UTC too."""
    return [found.astimezone(UTC) for found in islice(rrulestr(text, tzids=ZoneInfo), MANY // 5)]


def per_occurrence(work: Callable[[], object]) -> tuple[float, int]:
    """Seconds an occurrence, best of three, and how many there were."""
    best, number = float("inf"), 0
    for _ in range(3):
        began = time.perf_counter()
        number = sum(1 for _ in work())  # type: ignore[attr-defined]  # both give iterables
        best = min(best, (time.perf_counter() - began) / max(number, 1))
    return best, number


def many_schedules(results: Results, number: int) -> None:
    """Different schedules, each parsed and asked for its next occurrence, as a migration would."""
    began = time.perf_counter()
    for index in range(number):
        rule = RULES[index % len(RULES)]
        start = STARTS["2015"] + timedelta(seconds=index * 61)
        Recurrence.parse(text_of(rule, ZONES[index % 2], start)).after(NOW)
    rate = number / (time.perf_counter() - began)
    results.table(
        "Different schedules parsed and asked for their next occurrence",
        ("schedules", "a second"),
        [(number, rate)],
    )


class Foreign:
    """An engine that runs out of process: a command that is fed texts and answers seconds."""

    def __init__(self, command: list[str], folder: Path, *, zones: bool = True) -> None:
        self._command = command
        self._folder = folder
        self._zones = zones

    def next_seconds(self, text: str, following: datetime | None) -> float | None:
        """Seconds of finding the next occurrence; None where the engine cannot be asked."""
        if following is None or ("TZID" in text and not self._zones):
            return None
        question = {"text": text, "now": NOW.timestamp(), "next": following.timestamp()}
        done = subprocess.run(
            [*self._command, json.dumps(question)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self._folder,
            timeout=120,
        )
        return float(done.stdout) if done.returncode == 0 and done.stdout.strip() else None


def install(folder: Path) -> dict[str, Foreign]:
    """The engines that could be installed; one that cannot is said and left out."""
    found = {}
    try:
        venv.create(folder / "rs", with_pip=True)
        python = str(folder / "rs" / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", "python-dateutil-rs"], check=True)
        script = str(HERE / "recurrence_dateutil_rs.py")
        found["python-dateutil-rs"] = Foreign([python, script], folder, zones=False)
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"python-dateutil-rs is left out: {error}", file=sys.stderr)
    try:
        subprocess.run(["npm", "install", "--silent", "rrule@2", "rrule-rust@3"], check=True, cwd=folder)
        shutil.copy(HERE / "recurrence.mjs", folder)
        for name in ("rrule", "rrule-rust"):
            found[name] = Foreign(["node", "recurrence.mjs", name], folder)
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"rrule.js and rrule-rust are left out: {error}", file=sys.stderr)
    return found


def main() -> None:
    """Run everything and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="python-dateutil only, fewer schedules")
    quick = parser.parse_args().quick
    results = Results(name="recurrence", quick=quick)
    with tempfile.TemporaryDirectory() as folder:
        next_occurrences(results, {} if quick else install(Path(folder)))
    consecutive(results)
    many_schedules(results, SCHEDULES // 50 if quick else SCHEDULES)
    results.save()


if __name__ == "__main__":
    main()
