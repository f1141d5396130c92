"""Every test on MongoDB is also a test of plans: the server's profiler tells how each command was done."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from rrcli.settings import Settings
from tests.support.plans import faults


@pytest.fixture(scope="session")
def profiled(mongo_uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """A client that is none of the product's."""
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        yield client


@pytest.fixture(autouse=True)
def plans(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test whose commands read through a collection, or sort what may grow without an index."""
    store = request.getfixturevalue("store") if "store" in request.fixturenames else None
    if not isinstance(store, Settings) or not store.mongo.uri:
        yield
        return
    database = request.getfixturevalue("profiled")[store.mongo.database]
    # Small documents, far more than one test's: what no longer fits is forgotten.
    database.create_collection("system.profile", capped=True, size=4 * 2**20)
    database.command("profile", 2)
    yield
    database.command("profile", 0)
    assert faults(database["system.profile"].find()) == []
