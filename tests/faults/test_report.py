"""The page of reliability: every promise is linked to tests that exist."""

import json
import re
from pathlib import Path

import pytest

from tests.faults.promises import PROMISES
from tests.faults.report import ROOT, render

TESTS = sorted({test for _, _, tests in PROMISES for test in tests})


@pytest.mark.parametrize("test", TESTS)
def test_a_linked_test_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_a_record_is_a_row_of_the_table(tmp_path: Path) -> None:
    record = {
        "fault": "FLUSHALL",
        "backend": "MongoDB + Redis",
        "events": 6000,
        "doubles": 2,
        "losses": 0,
        "recovery_seconds": 1.25,
        "test": "tests/faults/test_redis.py::test_a_flushed_redis_is_filled_again",
    }
    (tmp_path / "one.json").write_text(json.dumps(record))
    row = "| FLUSHALL | MongoDB + Redis | 6,000 | 0 | 2 | 1.2 s | [a flushed redis is filled again]"
    assert row in render(tmp_path)
