"""The outside conformance suite, where RRCLI_CONFORMANCE names its folder; it is not part of the project."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = os.environ.get("RRCLI_CONFORMANCE")


@pytest.mark.skipif(not FOLDER, reason="RRCLI_CONFORMANCE does not name the suite's folder")
def test_every_undisputed_case_passes() -> None:
    assert FOLDER is not None
    here = Path(__file__).parent
    command = [sys.executable, str(Path(FOLDER) / "run.py"), "--path", str(here)]
    command += ["--adapter", "conformance_adapter:occurrences", "--timeout", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
