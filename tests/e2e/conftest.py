"""A running stack on every backend, and a receiver for its calls."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rrcli.repository.base import Repository
from rrcli.settings import Settings
from tests.support.receiver import Receiver, receiver
from tests.support.stack import DAEMONS, Stack, free_port, running


@pytest.fixture
def target() -> Iterator[Receiver]:
    with receiver() as started:
        yield started


@pytest.fixture
def stack(store: Settings, repository: Repository, tmp_path: Path) -> Iterator[Stack]:
    """API and daemons; retries come fast."""
    with running(
        store, tmp_path / "log", "api", *DAEMONS, API_PORT=str(free_port()), API_WORKERS="1"
    ) as started:
        yield started
