"""The state of the whole, settings, the store."""

import json
from datetime import timedelta

import pytest
import yaml

from rrcli.repository.base import Heartbeat
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import keys, load
from tests.cli.conftest import NOW


def beat(tmp_path, daemon, age_seconds):
    seen = NOW - timedelta(seconds=age_seconds)
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        repository.heartbeats.beat(
            Heartbeat(
                daemon=daemon,
                instance=f"{daemon}-1",
                host="box",
                pid=42,
                started_at=NOW - timedelta(hours=5),
                seen_at=seen,
                detail={"sent": 3.0},
            )
        )


def test_status_of_an_empty_store_names_what_does_not_run_and_how_to_start_it(run):
    result = run("status")
    assert result.code == 0
    assert "Not running: prequeuer, dispatcher, worker. Start them: rrcli up" in result.err
    assert "absent" in result.out
    assert "schedules    none" in result.out


def test_status_tells_living_from_gone_daemons(run, tmp_path, create):
    create("job", rule="FREQ=MINUTELY")
    beat(tmp_path, "prequeuer", 2)
    beat(tmp_path, "worker", 60)
    result = run("status")
    lines = {line.split()[0]: line for line in result.out.splitlines() if line}
    assert "alive" in lines["prequeuer"]
    assert "2 s ago" in lines["prequeuer"]
    assert "5 h" in lines["prequeuer"]
    assert "gone" in lines["worker"]
    assert "absent" in lines["dispatcher"]
    assert "Not running: dispatcher, worker." in result.err
    assert "10 ready" in lines["queues"]
    assert "1 active" in lines["schedules"]


def test_status_as_json(run, tmp_path, clock, create):
    create("job", "--at", "+1m")
    clock.advance(timedelta(minutes=2))
    beat(tmp_path, "worker", 0)
    view = json.loads(run("status", "-o", "json").out)
    assert view["queues"]["oldest_due_age_seconds"] == 60
    assert view["schedules"] == {"active": 1}
    assert view["events"] == {"ready_queue": 1}
    assert view["absent"] == ["prequeuer", "dispatcher"] or "prequeuer" in view["absent"]
    assert view["daemons"][0]["detail"] == {"sent": 3.0}


def test_config_show_lists_every_key_with_value_and_source(run, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKER_COUNT", "7")
    (tmp_path / "own.yaml").write_text("api:\n  port: 9000\n")
    rows = json.loads(run("config", "show", "--config", "own.yaml", "-o", "json").out)
    assert [row["key"] for row in rows] == [key.name for key in keys()]
    by_key = {row["key"]: row for row in rows}
    assert (by_key["worker.count"]["value"], by_key["worker.count"]["source"]) == (
        7,
        "environment WORKER_COUNT",
    )
    assert (by_key["api.port"]["value"], by_key["api.port"]["source"]) == (9000, "own.yaml")
    assert by_key["api.host"]["source"] == "default"
    out = run("config", "show").out
    assert all(key.name in out for key in keys())


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("mongodb://user:hunter2@db.example.org/x", "mongodb://***@db.example.org/x"),
        (
            "mongodb://user:hunter2@with@db.example.org/x?authSource=hunter2",
            "mongodb://***@db.example.org/x?***",
        ),
        ("mongodb://db.example.org/x", "mongodb://db.example.org/x"),
    ],
)
def test_config_show_masks_credentials(run, monkeypatch, uri, shown):
    monkeypatch.setenv("MONGO_URI", uri)
    for arguments in (["-o", "json"], ["-o", "yaml"], ["--env"], []):
        out = run("config", "show", *arguments).out
        assert shown in out
        assert "hunter2" not in out


def test_config_show_has_no_encryption_key(run, monkeypatch):
    monkeypatch.setenv("SECURITY_ENCRYPTION_KEY", "A" * 43 + "=," + "+/" * 21 + "A=")
    for arguments in (["-o", "json"], ["--env"], []):
        result = run("config", "show", *arguments)
        assert result.code == 0
        assert "AAAA" not in result.out + result.err
        assert "***" in result.out


@pytest.mark.parametrize("key", ["c4n4ry", "c4n4ry" * 8, "A" * 44])
def test_a_wrong_encryption_key_is_refused_and_not_shown(run, monkeypatch, key):
    monkeypatch.setenv("SECURITY_ENCRYPTION_KEY", key)
    result = run("config", "show")
    assert result.code == 4
    assert "security.encryption_key[0]: must be 32 random bytes in base64" in result.err
    assert key not in result.err


def test_rekey_encrypts_what_is_stored(run, create, monkeypatch):
    create("job", "-H", "X-Token: t0k3n")
    assert run("db", "rekey").code == 1
    monkeypatch.setenv("SECURITY_ENCRYPTION_KEY", "A" * 43 + "=")
    assert run("db", "rekey").out == "Encrypted anew: 1 schedule\n"
    assert run("db", "rekey").out == "Encrypted anew: 0 schedules\n"
    assert "t0k3n" in run("schedule", "show", "job", "--reveal").out
    monkeypatch.setenv("SECURITY_ENCRYPTION_KEY", "B" * 42 + "A=")
    result = run("db", "rekey")
    assert result.code == 1
    assert "No key opens what is in 1 schedule" in result.err
    assert run("schedule", "show", "job", "--reveal").code != 0
    assert run("schedule", "show", "job").code == 0


def test_config_show_as_environment_can_be_read_back(run, monkeypatch):
    monkeypatch.setenv("WORKER_COUNT", "7")
    monkeypatch.setenv("WORKER_DENY_NETWORKS", "10.0.0.0/8,192.168.0.0/16")
    lines = run("config", "show", "--env").out.splitlines()
    assert len(lines) == len(list(keys()))
    given = [line for line in lines if not line.startswith("#")]
    assert "WORKER_COUNT=7" in given
    assert "WORKER_DENY_NETWORKS='10.0.0.0/8,192.168.0.0/16'" in given
    assert all(line.startswith("# ") for line in lines if line not in given)


def test_config_init_writes_a_file_that_documents_every_key_and_changes_nothing(run, tmp_path):
    result = run("config", "init")
    target = tmp_path / "xdg" / "rrule-scheduler" / "config.yaml"
    assert result.out == f"Wrote {target}\n"
    text = target.read_text()
    for key in keys():
        assert f"# {key.name.partition('.')[2]}: " in text
        assert key.env in text
    assert load(file=str(target), environ={}).settings == load(file=None, environ={}).settings
    assert load(file=str(target), environ={}).file == target


def test_every_documented_default_is_the_default(run, tmp_path):
    """With the comment signs taken off, the file says what holds without it."""
    text = run("config", "init", "--path", "-").out
    data: dict[str, dict[str, object]] = {}
    section = ""
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(("#", " ")):
            section = line[:-1]
        for key in keys():
            prefix, _, name = key.name.partition(".")
            if section == prefix and line.startswith(f"  # {name}: "):
                data.setdefault(section, {}).update(yaml.safe_load(line.removeprefix("  # ")))
    (tmp_path / "full.yaml").write_text(yaml.safe_dump(data))
    assert sum(map(len, data.values())) == len(list(keys()))
    assert load(file=str(tmp_path / "full.yaml"), environ={}).settings == load(environ={}).settings


def test_config_init_overwrites_only_with_force(run, tmp_path):
    (tmp_path / "mine.yaml").write_text("mine")
    result = run("config", "init", "--path", "mine.yaml")
    assert result.code == 6
    assert "--force" in result.err
    assert (tmp_path / "mine.yaml").read_text() == "mine"
    assert run("config", "init", "--path", "mine.yaml", "--force").code == 0
    assert "mongo:" in (tmp_path / "mine.yaml").read_text()


def test_config_init_where_nothing_can_be_written_is_1(run, tmp_path):
    (tmp_path / "file").write_text("")
    result = run("config", "init", "--path", "file/config.yaml")
    assert result.code == 1
    assert "cannot be written" in result.err


def test_db_init_says_in_one_line_that_the_store_is_ready(run, tmp_path):
    for _ in range(2):
        result = run("db", "init")
        assert result.out == f"The store is ready: embedded {tmp_path}/data/rrule-scheduler.db\n"
