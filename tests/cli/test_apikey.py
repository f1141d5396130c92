"""Keys of the REST service, and starting only where they guard."""

import json
import re

import pytest

from rrcli.repository.sqlite import SqliteRepository
from tests.cli.conftest import process

KEY = re.compile(r"rrk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}\n")


def test_a_new_key_alone_goes_to_stdout(run):
    result = run("apikey", "create", "--name", "ci", "--scope", "write")
    assert result.code == 0
    assert KEY.fullmatch(result.out)
    assert "scope write. It is not shown again." in result.err


def test_a_new_key_as_json_has_its_record(run):
    view = json.loads(run("apikey", "create", "--name", "ci", "--scope", "ADMIN", "-o", "json").out)
    assert KEY.fullmatch(view["key"] + "\n")[1] == view["id"]
    assert (view["name"], view["scope"], view["revoked_at"]) == ("ci", "admin", None)


def test_the_list_has_no_secret_and_says_what_is_revoked(run):
    texts = [run("apikey", "create", "--name", f"k{i}", "--scope", "read").out.strip() for i in (1, 2)]
    assert run("apikey", "revoke", "k2").code == 0
    result = run("apikey", "list")
    assert not any(text.split("_", 2)[2] in result.out for text in texts)
    lines = [line.split() for line in result.out.splitlines()[1:]]
    assert sorted((line[1], line[-1]) for line in lines) == [("k1", "active"), ("k2", "revoked")]
    views = json.loads(run("apikey", "list", "-o", "json").out)
    assert set(views[0]) == {"id", "name", "scope", "created_at", "last_used_at", "revoked_at"}


def test_an_empty_list_says_that_the_service_is_open(run):
    result = run("apikey", "list")
    assert (result.code, result.out) == (0, "")
    assert "open to whoever reaches it" in result.err


@pytest.mark.parametrize("form", ["id", "key", "name"])
def test_a_key_is_revoked_by_id_key_or_name(run, form):
    view = json.loads(run("apikey", "create", "--name", "ci", "--scope", "read", "-o", "json").out)
    result = run("apikey", "revoke", view[form])
    assert (result.code, result.out) == (0, f"Revoked ci  {view['id']}\n")
    again = run("apikey", "revoke", view["id"])
    assert again.code == 6
    assert "revoked already" in again.err


def test_an_unknown_key_is_not_found_and_not_repeated(run):
    result = run("apikey", "revoke", "rrk_000000000000_canary")
    assert result.code == 3
    assert "canary" not in result.err
    assert "rrcli apikey list" in result.err


def test_a_name_that_two_keys_have_is_a_conflict(run):
    for _ in range(2):
        run("apikey", "create", "--name", "ci", "--scope", "read")
    assert run("apikey", "revoke", "ci").code == 6


@pytest.mark.parametrize("name", ["", " x", "a\nb", "x" * 101])
def test_a_name_that_is_none_is_refused(run, name):
    assert run("apikey", "create", "--name", name, "--scope", "read").code == 4
    assert run("apikey", "list", "-o", "ids").out == ""


@pytest.mark.parametrize("command", [("api",), ("up", "--embedded")])
def test_nothing_listens_beyond_loopback_without_a_key(command):
    result = process(*command, "--host", "0.0.0.0", "--port", "18473")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-2:] == [
        "Error: The API would listen on 0.0.0.0, for other machines too, and there is no API key yet.",
        "Hint: Make one first: rrcli apikey create --name NAME --scope admin",
    ]
    assert "Traceback" not in result.stderr


def test_a_digest_is_all_that_is_stored(run, tmp_path):
    text = run("apikey", "create", "--name", "ci", "--scope", "read").out.strip()
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        (key,) = repository.api_keys.list()
    assert text.split("_", 2)[2] not in repr(key) + key.digest
