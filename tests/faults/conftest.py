"""Every test here injects a fault into real processes, servers or files."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rrcli.settings import Settings


@pytest.fixture
def mongo_store(mongo_uri: str) -> Iterator[Settings]:
    """A database of its own on the session's MongoDB; the test names a Redis."""
    from pymongo import MongoClient

    database = f"faults_{secrets.token_hex(6)}"
    settings = Settings()
    yield replace(settings, mongo=replace(settings.mongo, uri=mongo_uri, database=database))
    client: MongoClient[dict[str, object]]
    with MongoClient(mongo_uri) as client:
        client.drop_database(database)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder `faults`, so that `make faults` finds them."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.faults)
            if "timeout" not in {mark.name for mark in item.iter_markers()}:
                item.add_marker(pytest.mark.timeout(400))
