"""`schedule edit`: YAML in the editor, checked, opened again with what was wrong."""

import pytest

from rrcli.repository.sqlite import SqliteRepository


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """An editor that runs one Python statement after the other over `text`, one at each opening."""

    def use(*statements: str) -> None:
        script = tmp_path / "editor.py"
        seen = tmp_path / "seen.txt"
        script.write_text(
            "import pathlib, sys\n"
            f"seen = pathlib.Path({str(seen)!r})\n"
            "file = pathlib.Path(sys.argv[-1])\n"
            "text = file.read_text()\n"
            "before = seen.read_text().split('=====') if seen.exists() else []\n"
            "seen.write_text('====='.join([*before, text]))\n"
            f"exec({list(statements)!r}[len(before)])\n"
            "import os, time\n"
            "file.write_text(text)\n"
            "os.utime(file, (time.time() + 5, time.time() + 5))\n"
        )
        import sys

        monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")

    use.seen = lambda: (tmp_path / "seen.txt").read_text().split("=====")
    return use


def test_what_is_changed_in_the_editor_is_stored(run, create, editor, tmp_path):
    create("job", "-H", "Authorization: Bearer abc", "--body", "one\ntwo")
    editor("text = text.replace('name: job', 'name: better').replace('two', 'three')")
    result = run("schedule", "edit", "job")
    assert result.code == 0
    assert result.out.startswith("Updated better")
    with SqliteRepository.open(tmp_path / "data" / "rrule-scheduler.db") as repository:
        (stored,) = repository.schedules.resolve("better")
    assert (stored.body, stored.headers) == ("one\nthree", {"Authorization": "Bearer abc"})


def test_read_only_fields_are_not_offered_and_values_stay_hidden(run, create, editor):
    create("job", "-H", "Authorization: Bearer abc")
    editor("pass")
    run("schedule", "edit", "job")
    (text,) = editor.seen()
    assert "Bearer abc" not in text
    assert "\nrevision:" not in text
    assert "callback_url:" in text


def test_no_change_says_so_and_makes_no_revision(run, create, editor):
    create("job")
    editor("pass")
    result = run("schedule", "edit", "job")
    assert (result.code, result.out, result.err.splitlines()[-1]) == (0, "", "Nothing was changed.")
    assert '"revision": 1' in run("schedule", "show", "job", "-o", "json").out


def test_what_is_refused_comes_again_with_the_reasons(run, create, editor):
    create("job")
    editor(
        "text = text.replace('http:', 'nowhere:').replace('timeout_seconds: 30', 'timeout_seconds: -1')",
        "text = text.replace('nowhere:', 'http:').replace('timeout_seconds: -1', 'timeout_seconds: 5')",
    )
    result = run("schedule", "edit", "job")
    assert result.code == 0, result.err
    first, second = editor.seen()
    assert "# ✗" not in first
    assert "# ✗ callback_url: " in second
    assert "# ✗ timeout_seconds: " in second
    assert "nowhere://127" in second


def test_what_is_no_yaml_comes_again(run, create, editor):
    create("job")
    editor("text = 'name: [\\n'", "text = 'name: mended\\n'")
    assert run("schedule", "edit", "job").code == 0
    assert "# ✗ YAML: " in editor.seen()[1]


def test_giving_up_on_what_was_refused_is_4(run, create, editor):
    create("job")
    editor("text = 'naem: other\\n'", "pass")
    result = run("schedule", "edit", "job")
    assert result.code == 4
    assert "naem: is not a field; name is known" in result.err


def test_somebody_elses_change_meanwhile_is_a_conflict(run, create, editor, monkeypatch):
    create("job")
    editor("text = 'name: mine\\n'")
    import click

    edit = click.edit

    def slow(*args, **options):
        run("schedule", "update", "job", "--method", "PUT")
        return edit(*args, **options)

    monkeypatch.setattr(click, "edit", slow)
    assert run("schedule", "edit", "job").code == 6


def test_a_typo_in_a_name_is_answered_with_the_name(run, create):
    create("nightly-report")
    result = run("schedule", "show", "nightly-reprot")
    assert result.code == 3
    assert "Did you mean 'nightly-report'?" in result.err


@pytest.mark.parametrize("name", ["no-such-editor", "'unclosed"])
def test_an_editor_that_does_not_exist_is_named_with_what_to_set(run, create, monkeypatch, name):
    create("job")
    monkeypatch.setenv("VISUAL", name)
    result = run("schedule", "edit", "job")
    assert result.code == 1
    assert "cannot be started; nothing was changed" in result.err
    assert "no-such-editor" in result.err or "unclosed" in result.err
    assert "EDITOR=nano" in result.err
    assert "Errno" not in result.err


def test_an_editor_that_fails_changes_nothing(run, create, monkeypatch):
    create("job")
    monkeypatch.setenv("VISUAL", "false")
    result = run("schedule", "edit", "job")
    assert result.code == 1
    assert "The editor 'false' ended with an error; nothing was changed." in result.err


def test_what_is_saved_and_is_not_utf_8_changes_nothing(run, create, monkeypatch, tmp_path):
    create("job")
    script = tmp_path / "garble"
    script.write_text('#!/bin/sh\nprintf "\\377\\376" > "$1"\ntouch -d "1 hour" "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    result = run("schedule", "edit", "job")
    assert result.code == 1
    assert "not UTF-8; nothing was changed" in result.err


def test_what_was_written_is_kept_when_it_cannot_be_stored(run, create, editor, monkeypatch, tmp_path):
    create("job")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    editor("text = text.replace('name: job', 'name: better').replace('method: ', 'method: NO')", "pass")
    result = run("schedule", "edit", "job")
    assert result.code == 4
    (kept,) = tmp_path.glob("rrcli-*.yaml")
    assert f"What was edited is kept in {kept}." in result.err
    assert "name: better" in kept.read_text()
    assert kept.stat().st_mode & 0o77 == 0


def test_without_terminal_and_editor_nothing_is_started(run, create, monkeypatch):
    create("report")
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("click.edit", lambda *_, **__: pytest.fail("an editor was started"))
    result = run("schedule", "edit", "report")
    assert result.code == 1
    assert "There is no terminal to edit in; nothing was changed." in result.err
    assert "rrcli schedule update" in result.err
