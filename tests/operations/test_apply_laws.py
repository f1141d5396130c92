"""Laws of files: what was applied is as they say, twice is once, and an export says the same again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rrcli.core.models import MisfirePolicy, Overlap
from rrcli.operations import apply, declared, manifest
from rrcli.operations.apply import Action
from rrcli.operations.context import Context
from rrcli.operations.manifest_yaml import dump
from rrcli.operations.service import Local
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings
from tests.support.clock import FakeClock

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
VALUES = st.text(st.characters(exclude_categories=("C",)), max_size=12) | st.sampled_from(
    ["${HOME} $${x} $", "${", "$${", "$$${HOME}", "${}"]
)
RULES = st.sampled_from(
    [
        {"rrule": "FREQ=DAILY;BYHOUR=8;BYMINUTE=0;BYSECOND=0"},
        {
            "rrule": "DTSTART;TZID=Europe/Berlin:20270328T023000\nRRULE:FREQ=DAILY\n"
            "EXDATE;TZID=Europe/Berlin:20270329T023000"
        },
        {"rrule": "DTSTART:20270101T000000Z\nRDATE:20270105T000000Z,20270107T000000Z"},
        {"cron": "*/20 9-17 * * MON-FRI", "timezone": "America/New_York"},
        {"cron": "0 0 13 * FRI"},
        {"every": "90m"},
        {"every": "2w", "timezone": "Australia/Lord_Howe"},
    ]
)
SECONDS = st.floats(0, 86_400).map(lambda value: round(value, 3))
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "method": st.sampled_from(["GET", "PUT", "DELETE"]) | st.none(),
    "headers": st.dictionaries(st.from_regex(r"\AX-[A-Za-z]{1,8}\Z"), VALUES, max_size=3),
    "body": st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
    | st.just("a\n b \n\n\tc\n"),
    "timeout_seconds": st.floats(0.1, 3600),
    "max_retries": st.integers(0, 100) | st.none(),
    "retry": st.fixed_dictionaries({}, optional={"base_seconds": SECONDS, "cap_seconds": SECONDS}),
    "follow_redirects": st.booleans(),
    "misfire": st.fixed_dictionaries(
        {}, optional={"policy": st.sampled_from(list(map(str, MisfirePolicy))), "grace_seconds": SECONDS}
    ),
    "overlap": st.sampled_from(list(map(str, Overlap))),
    "jitter_seconds": SECONDS,
    "tags": st.lists(st.from_regex(r"\A[a-z0-9.-]{1,8}\Z"), max_size=3),
    "secrets": st.lists(st.just("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), max_size=2),
    "auto_pause_after": st.integers(0, 100),
    "paused": st.booleans(),
}
SCHEDULES = st.builds(
    lambda name, rule, rest: {
        "name": name,
        **rule,
        "callback_url": "http://u:p@example.org/?token=a",
        **rest,
    },
    PRINTABLE,
    RULES,
    st.fixed_dictionaries({}, optional=OPTIONAL),
)
FILES = st.lists(SCHEDULES, min_size=1, max_size=4, unique_by=lambda each: each["name"])


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def opened(folder: Path, name: str) -> Iterator[Context]:
    """A new store, at noon."""
    (folder / name).unlink(missing_ok=True)
    clock = FakeClock(NOW)
    with SqliteRepository.open(folder / name, clock) as repository:
        yield Context(repository=repository, clock=clock, settings=Settings())


def read(text: str) -> list[manifest.Declared]:
    return manifest.read([("file", text)], now=NOW, environment={"HOME": "/home"})


def planned(context: Context, text: str) -> list[apply.Step]:
    return list(apply.plan(context, read(text), Local(context)))


def applied(context: Context, text: str) -> None:
    for _, error in apply.carry_out(Local(context), planned(context, text)):
        assert error is None, error


def exported(context: Context, *, reveal: bool) -> list[dict[str, Any]]:
    found = apply.all_schedules(context)
    return [declared.exported(each, context.settings, reveal=reveal) for each in found]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILES)
def test_files_and_stores_say_the_same(folder: Path, schedules: list[dict[str, Any]]) -> None:
    text = dump({"schedules": schedules})
    with opened(folder, "one.db") as first, opened(folder, "two.db") as second:
        assert {step.action for step in planned(first, text)} == {Action.CREATE}
        applied(first, text)
        assert {step.action for step in planned(first, text)} == {Action.KEEP}
        masked = dump({"schedules": exported(first, reveal=False)})
        assert {step.action for step in planned(first, masked)} == {Action.KEEP}
        applied(second, dump({"schedules": exported(first, reveal=True)}))
        assert exported(second, reveal=True) == exported(first, reveal=True)
