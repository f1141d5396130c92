"""A running stack on every backend."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rrcli.repository.base import Repository
from rrcli.settings import Settings
from tests.support.stack import DAEMONS, Stack, free_port, running


@pytest.fixture
def stack(store: Settings, repository: Repository, tmp_path: Path) -> Iterator[Stack]:
    """API and daemons; retries come fast."""
    with running(
        store, tmp_path / "log", "api", *DAEMONS, API_PORT=str(free_port()), API_WORKERS="1"
    ) as started:
        yield started
