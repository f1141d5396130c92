"""`events watch`: one line a change, filters, pipes, outages."""

import csv
import io
import json
from datetime import timedelta

import pytest
import yaml

from rrcli.cli.main import main
from rrcli.cli.state import State
from rrcli.cli.text import cells
from rrcli.errors import StoreUnavailable
from rrcli.operations import events, schedules
from rrcli.operations.context import Context
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings
from tests.cli.conftest import Result


@pytest.fixture
def watch(clock, service, where, capsys, monkeypatch):
    """Watch for as many looks as there are actions; each is done between two looks."""

    def call(*arguments, actions=()):
        waiting = iter(actions)

        def wait(_seconds: float) -> None:
            action = next(waiting, None)
            if action is None:
                raise KeyboardInterrupt
            action()

        with monkeypatch.context() as environment:
            if where == "remote":
                environment.setenv("RRCLI_SERVER", "http://localhost")
            capsys.readouterr()
            code = main(["events", "watch", *arguments], State(clock=clock, connect=service, wait=wait))
        captured = capsys.readouterr()
        return Result(int(code), captured.out, captured.err)

    return call


@pytest.fixture
def trigger(clock, tmp_path):
    """Trigger a schedule from elsewhere while somebody watches."""

    def call(name: str, *, cancel: bool = False) -> None:
        with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
            context = Context(repository=repository, clock=clock, settings=Settings())
            event = events.trigger(context, schedules.resolve(context, name).id)
            if cancel:
                events.cancel(context, event.id)

    return call


def test_each_change_is_a_line_once(watch, trigger, create, clock):
    create("job", "--at", "2027-01-01T00:00:00Z")
    result = watch("job", actions=[lambda: trigger("job"), lambda: None, lambda: trigger("job", cancel=True)])
    lines = [line.split()[2] for line in result.out.splitlines()]
    assert lines == ["ready_queue", "ready_queue", "cancelled"]
    assert result.code == 130


def test_it_begins_with_the_last_changes(watch, trigger, create, clock):
    create("job", "--at", "2027-01-01T00:00:00Z")
    for _ in range(4):
        trigger("job")
        clock.advance(timedelta(seconds=1))
    assert len(watch("job", "--last", "3").out.splitlines()) == 3
    assert watch("job", "--last", "0").out == ""


def test_filters_by_schedule_and_state(watch, trigger, create):
    create("job", "--at", "2027-01-01T00:00:00Z")
    create("other", "--at", "2027-01-01T00:00:00Z")
    actions = [lambda: trigger("job", cancel=True), lambda: trigger("other", cancel=True)]
    shown = watch("--state", "cancelled", "-o", "jsonl", actions=actions).out.splitlines()
    assert [(json.loads(line)["schedule"], json.loads(line)["state"]) for line in shown] == [
        ("job", "cancelled"),
        ("other", "cancelled"),
    ]
    actions = [lambda: trigger("job"), lambda: trigger("other")]
    assert {line.split()[1] for line in watch("other", actions=actions).out.splitlines()} == {"other"}


def test_every_format_can_be_read_by_a_program(watch, trigger, create):
    create("job", "--at", "2027-01-01T00:00:00Z")

    def out(form: str) -> str:
        actions = [lambda: trigger("job"), lambda: trigger("job")]
        return str(watch("job", "--last", "0", "-o", form, actions=actions).out)

    assert [json.loads(line)["message"] for line in out("json").splitlines()] == ["Triggered by hand"] * 2
    assert [row["state"] for row in yaml.safe_load(out("yaml"))] == ["ready_queue"] * 2
    assert [row["state"] for row in csv.DictReader(io.StringIO(out("csv")))] == ["ready_queue"] * 2
    assert all(len(line) == 24 for line in out("ids").split())


def test_an_outage_is_told_once_and_survived(watch, trigger, create, monkeypatch):
    create("job", "--at", "2027-01-01T00:00:00Z")
    broken = pytest.MonkeyPatch()

    def away(*_args, **_options):
        raise StoreUnavailable("The store is away.")

    def down() -> None:
        broken.setattr("rrcli.operations.watch.Watch.look", away)

    def up() -> None:
        broken.undo()
        trigger("job")

    result = watch("job", actions=[down, lambda: None, up])
    assert result.err.split("\n")[:2] == ["The store is away. Still trying.", "It is back."]
    assert len(result.out.splitlines()) == 1


def test_it_stops_after_the_time_that_was_asked_for(run, create):
    create("job", "--at", "2027-01-01T00:00:00Z")
    result = run("events", "watch", "--for", "0")
    assert result.code == 0


def test_a_line_fits_80_columns_whatever_the_name(watch, trigger, create, monkeypatch):
    name = "日本語の名前をもつスケジュールです\x1b[31m" + "x" * 100
    create(name.replace("\x1b", ""), "--at", "2027-01-01T00:00:00Z")
    monkeypatch.setenv("COLUMNS", "80")
    shown = watch(actions=[lambda: trigger(name.replace("\x1b", ""))]).out.splitlines()
    assert shown
    assert all(cells(line) <= 80 for line in shown)
