"""Files that declare schedules: applied, exported, refused with every mistake at its place."""

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import on_terminal

TWO = """\
defaults:
  timezone: Europe/Berlin
  tags: [team-a]
schedules:
  - name: report
    cron: '30 8 * * 1-5'
    callback_url: http://127.0.0.1:9/hook?token=abc
    headers:
      Authorization: Bearer ${TOKEN}
  - name: sync
    every: 90m
    callback_url: http://127.0.0.1:9/
    retry: {base_seconds: 5}
    body: |
      two
      lines
"""


@pytest.fixture(autouse=True)
def _token(monkeypatch):
    monkeypatch.setenv("TOKEN", "t0p-s3cret")


@pytest.fixture
def apply(run):
    def call(text, *arguments):
        return run("apply", "-f", "-", *arguments, stdin=text.encode())

    return call


def stored(run, name):
    return json.loads(run("schedule", "show", name, "--reveal", "-o", "json").out)


def names(run):
    return {each["name"] for each in json.loads(run("export", "-o", "json").out)["schedules"]}


def test_a_file_creates_what_it_declares_and_a_second_time_changes_nothing(run, apply):
    first = apply(TWO)
    assert (first.code, first.err) == (0, "2 created.\n")
    assert "+ create report  stdin:5\n" in first.out
    assert "    runs every weekday (Monday to Friday) at 08:30, Berlin time\n" in first.out
    assert "    30 days: 22 appear: 2026-11-24 07:30, " in first.out
    assert stored(run, "report")["headers"] == {"Authorization": "Bearer t0p-s3cret"}
    assert stored(run, "sync")["body"] == "two\nlines\n"
    before = [stored(run, name)["revision"] for name in ("report", "sync")]
    second = apply(TWO)
    assert (second.code, second.out) == (0, "Nothing to do; 2 unchanged.\n")
    assert [stored(run, name)["revision"] for name in ("report", "sync")] == before


def test_a_dry_run_shows_and_changes_nothing(run, apply):
    result = apply(TWO, "--dry-run")
    assert "2 to create; 0 unchanged." in result.out
    assert run("schedule", "list", "-o", "ids").out == ""


def test_the_plan_names_each_changed_field_and_what_moves(run, apply):
    apply(TWO)
    changed = TWO.replace("30 8", "0 9").replace("5}", "7}").replace("TOKEN", "PATH").replace("two\n", "3\n")
    result = apply(changed, "--dry-run")
    assert "    rrule: FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=8;BYMINUTE=30;BYSECOND=0 → " in result.out
    assert "    headers.Authorization: changed\n" in result.out
    assert "    30 days: 22 move: 2026-11-24 07:30 → 2026-11-24 08:00, " in result.out
    assert "    retry.base_seconds: 5.0 → 7.0\n" in result.out
    assert "    body: two\\nlines\\n → 3\\nlines\\n\n" in result.out
    assert "    the next 30 days stay as they are\n" in result.out
    assert "t0p-s3cret" not in result.out + result.err


def test_the_plan_as_json_lists_occurrences(apply):
    apply(TWO)
    (change, kept) = json.loads(apply(TWO.replace("1-5", "1-4"), "-o", "json").out)
    assert (change["action"], kept["action"]) == ("change", "keep")
    assert change["occurrences"]["vanish"][0] == "2026-11-27T07:30:00Z"
    assert change["occurrences"]["appear"] == change["occurrences"]["move"] == []
    assert change["fields"][0]["field"] == "rrule"


def test_what_a_file_leaves_out_goes_back_to_its_default(run, apply):
    apply(TWO)
    apply(TWO.replace("    retry: {base_seconds: 5}\n", "").replace("  tags: [team-a]\n", ""))
    assert stored(run, "sync")["retry"]["base_seconds"] == 1
    assert stored(run, "sync")["tags"] == []


def test_skips_and_a_pause_by_hand_stay(run, apply):
    apply(TWO)
    run("schedule", "skip", "report")
    run("schedule", "pause", "sync")
    assert apply(TWO).out == "Nothing to do; 2 unchanged.\n"
    assert stored(run, "sync")["state"] == "paused"
    assert len(stored(run, "report")["skips"]) == 1


def test_a_file_can_say_paused(run, apply):
    apply(TWO + "    paused: true\n")
    assert stored(run, "sync")["state"] == "paused"
    result = apply(TWO + "    paused: false\n")
    assert "    is resumed\n" in result.out
    assert stored(run, "sync")["state"] == "active"


def test_prune_deletes_what_has_the_tag_and_is_in_no_file(run, apply, create):
    apply(TWO)
    create("by-hand")
    create("other-team", "--tag", "team-b")
    one = TWO[: TWO.index("  - name: sync")]
    assert apply(one, "--prune", "--tag", "team-a").code == 2
    assert stored(run, "sync")
    result = apply(one, "--prune", "--tag", "team-a", "--yes")
    assert result.err == "1 deleted, 1 unchanged.\n"
    assert "- delete sync\n" in result.out
    assert names(run) == {"report", "by-hand", "other-team"}


@pytest.mark.parametrize("arguments", [("--prune",), ("--tag", "team-a")])
def test_prune_needs_a_tag(apply, arguments):
    result = apply(TWO, *arguments)
    assert result.code == 2
    assert "--prune and --tag go together" in result.err


def test_prune_refuses_files_that_it_would_delete_next_time(apply):
    result = apply(TWO, "--prune", "--tag", "team-b", "--yes")
    assert "got None" not in result.err
    assert result.code == 4
    assert "stdin:5: report: tags: must have the tag team-b" in result.err


def test_every_mistake_of_every_file_is_told_with_its_line(run, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/a.yaml").write_text(
        "schedules:\n- name: a\n  cron: 0 0 31 2 *\n  callback_url: ftp://x\n  tags:\n  - ok\n  - b c\n"
        "- name: b\n  evry: 5m\n  callback_url: http://x/\n- {name: c, every: 5m, headers: {X: '${NOPE}'}}\n"
    )
    (tmp_path / "files/b.json").write_text(
        '{"name": "a", "every": 5, "callback_url": "http://x/", "paused": 1}'
    )
    (tmp_path / "files/c.yml").write_text("- name: d\n  name: e\n")
    (tmp_path / "files/d.yaml").write_text("- name: f\n  cron: * * * * *\n")
    (tmp_path / "files/ignored.txt").write_text("{")
    result = run("apply", "-f", "files", "-o", "json")
    assert result.code == 4
    told = {each["field"]: each["message"] for each in json.loads(result.err)["error"]["details"]}
    assert list(told) == [
        "files/a.yaml:3: a: cron",
        "files/a.yaml:4: a: callback_url",
        "files/a.yaml:7: a: tags[1]",
        "files/a.yaml:9: b: evry",
        "files/a.yaml:8: b: rrule",
        "files/a.yaml:11: c: headers.X",
        "files/a.yaml:11: c: callback_url",
        "files/b.json:1: a: every",
        "files/b.json:1: a: paused",
        "files/c.yml:2",
        "files/d.yaml:2",
    ]
    assert "needs the environment variable NOPE" in told["files/a.yaml:11: c: headers.X"]
    assert "put what begins with * in quotes" in told["files/d.yaml:2"]
    assert run("schedule", "list", "-o", "ids").out == ""


def test_a_name_that_stands_twice_is_refused(run, apply, tmp_path, create):
    text = "- {name: a, every: 5m, callback_url: 'http://x/'}\n"
    (tmp_path / "one.yaml").write_text(text)
    (tmp_path / "two.yaml").write_text(text)
    result = run("apply", "-f", "one.yaml", "-f", "two.yaml")
    assert result.code == 4
    assert "two.yaml:1: name: must be unique: it stands in one.yaml:1, too" in result.err
    create("twin")
    create("twin")
    result = apply("- {name: twin, every: 5m, callback_url: 'http://x/'}\n")
    assert result.code == 6
    assert "Several schedules have the name 'twin'" in result.err
    assert run("export").code == 6


def test_a_calendar_that_does_not_exist_is_told_at_its_place(apply):
    result = apply(TWO + "    exclude_calendars: [nowhere]\n", "--dry-run")
    assert result.code == 4
    assert "stdin:10: sync: exclude_calendars[0]: must be a calendar that exists" in result.err


def test_a_mask_that_stands_for_nothing_is_refused(apply):
    result = apply(TWO.replace("Bearer ${TOKEN}", "'********'"))
    assert result.code == 4
    assert "report: headers.Authorization" in result.err


@pytest.mark.parametrize("arguments", [("-f", "missing.yaml"), ("-f", "."), ("-f", "-", "-f", "-"), ()])
def test_files_that_cannot_be_read_are_a_usage_error(run, arguments):
    assert run("apply", *arguments).code == 2


def test_masks_of_an_export_keep_what_is_stored(run, apply, tmp_path):
    apply(TWO)
    exported = run("export").out
    assert "t0p-s3cret" not in exported
    assert "token=***" in exported
    assert apply(exported).out == "Nothing to do; 2 unchanged.\n"
    changed = apply(exported.replace("base_seconds: 5.0", "base_seconds: 6.0"))
    assert changed.code == 0
    assert stored(run, "report")["headers"] == {"Authorization": "Bearer t0p-s3cret"}


def test_a_revealed_export_goes_into_another_store(run, apply, tmp_path, monkeypatch):
    apply(TWO.replace("Bearer ${TOKEN}", "Bearer $${literal}") + "    paused: true\n")
    exported = run("export", "--reveal").out
    before = [stored(run, name) for name in ("report", "sync")]
    monkeypatch.setenv("RRCLI_DATA_DIR", str(tmp_path / "elsewhere"))
    assert apply(exported).code == 0
    after = [stored(run, name) for name in ("report", "sync")]
    assert run("export", "--reveal").out == exported
    changing = {"id", "revision", "created_at", "updated_at"}
    for old, new in zip(before, after, strict=True):
        assert {key: old[key] for key in old.keys() - changing} == {
            key: new[key] for key in new.keys() - changing
        }
    assert after[0]["headers"] == {"Authorization": "Bearer ${literal}"}


def test_an_export_names_schedules_or_a_tag(run, create):
    create("one", "--tag", "x")
    create("two")
    for arguments in (("one",), ("--tag", "x")):
        assert [each["name"] for each in yaml.safe_load(run("export", *arguments).out)["schedules"]] == [
            "one"
        ]
    assert run("export", "one", "--tag", "x").code == 2
    assert run("export", "nobody").code == 3
    assert run("schedule", "export", "one").out == run("export", "one").out


def test_an_export_says_that_skips_are_not_in_it(run, create):
    create("job")
    run("schedule", "skip", "job")
    assert "Skipped and moved occurrences are not in the file: job." in run("export").err


def test_deleting_asks_first_on_a_terminal(run, apply, tmp_path):
    apply(TWO)
    Path("one.yaml").write_text(TWO[: TWO.index("  - name: sync")])
    arguments = ("apply", "-f", "one.yaml", "--prune", "--tag", "team-a")
    code, shown = on_terminal(*arguments, typed="n\n")
    assert code == 1
    assert "Delete 1 schedule with all events? [y/N]" in shown
    assert "Nothing was changed." in shown
    code, shown = on_terminal(*arguments, typed="y\n")
    assert code == 0
    assert "1 deleted, 1 unchanged." in shown


PLAIN = """\
- {name: a, every: 5m, callback_url: 'http://x/', body: text}
- {name: b, cron: '@daily', callback_url: 'http://x/'}
"""


def test_a_service_elsewhere_is_brought_in_line_as_a_store_is(run, apply):
    there = ("--server", "http://localhost")
    assert apply(PLAIN, *there).err == "2 created.\n"
    assert apply(PLAIN, *there).out == apply(PLAIN).out == "Nothing to do; 2 unchanged.\n"
    assert apply(PLAIN.replace("text", "other"), *there).err == "1 changed, 1 unchanged.\n"
    exported = run("export", *there).out
    assert exported == run("export").out
    assert apply("[]", *there, "--prune", "--tag", "x", "--yes").out == "Nothing to do; 0 unchanged.\n"


def test_a_method_that_goes_without_saying_is_no_difference(run, apply):
    apply(PLAIN)
    said = PLAIN.replace("body", "method: POST, body")
    assert apply(said).out == "Nothing to do; 2 unchanged.\n"
    apply(said.replace("body: text", "headers: {}"))
    assert stored(run, "a")["method"] == "POST"


@pytest.mark.parametrize("form", ["csv", "ids"])
def test_what_export_does_not_write_is_refused(run, form):
    result = run("export", "-o", form)
    assert (result.code, result.out) == (2, "")
    assert f"--format ics, not {form}." in result.err
