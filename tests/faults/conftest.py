"""Every test here injects a fault into real processes, servers or files."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder `faults`, so that `make faults` finds them."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.faults)
            if "timeout" not in {mark.name for mark in item.iter_markers()}:
                item.add_marker(pytest.mark.timeout(400))
