"""The net under all contract tests on MongoDB catches what it is for; indexes are fit for shards."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.database import Database

from rrcli.repository.base import Repository
from rrcli.settings import Settings
from tests.support.plans import OURS, SHARDED, faults

ANY = {"_id": {"$gt": ObjectId(bytes(12))}}
pytestmark = pytest.mark.servers


@pytest.fixture(params=["mongo_redis"])
def store(store: Settings) -> Settings:
    """Only this backend."""
    return store


@pytest.fixture
def mongo(store: Settings) -> Iterator[Database[dict[str, Any]]]:
    """The store's database under another name, whose commands seem to be ours."""
    with MongoClient[dict[str, Any]](store.mongo.uri, appname=OURS) as client:
        name = f"{store.mongo.database}_net"
        database = client[name]
        database["schedules"].insert_many([{"name": str(number), "age": number} for number in range(50)])
        database.command("profile", 2)
        yield database
        client.drop_database(name)


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda all: list(all.find({"age": 3})), "reads all"),
        (lambda all: all.count_documents({}), "reads all"),
        (lambda all: list(all.aggregate([{"$group": {"_id": "$age"}}])), "reads all"),
        (lambda all: all.update_many({"age": 3}, {"$set": {"a": 1}}), "reads all"),
        (lambda all: all.delete_many({"age": 3}), "reads all"),
        (lambda all: list(all.find(ANY, sort=[("age", 1)], hint="_id_")), "sorts in memory"),
        (lambda all: all.replace_one(ANY, {"name": "x"}), "of which shard"),
        (lambda all: all.delete_one(ANY), "of which shard"),
    ],
)
def test_the_net_catches(mongo: Database[dict[str, Any]], call: Callable[[Any], object], fault: str) -> None:
    call(mongo["schedules"])
    assert any(fault in found for found in faults(mongo["system.profile"].find()))


def test_the_net_lets_through_what_uses_an_index(mongo: Database[dict[str, Any]]) -> None:
    (one, *_) = mongo["schedules"].find(ANY).sort("_id").limit(1)
    mongo["schedules"].delete_one({"_id": one["_id"]})
    assert faults(mongo["system.profile"].find()) == []


def test_nothing_but_the_id_is_unique_so_that_a_hashed_id_can_be_the_shard_key(
    repository: Repository, store: Settings
) -> None:
    repository.schedules.counts()
    with MongoClient[dict[str, Any]](store.mongo.uri) as client:
        for name in SHARDED:
            indexes = client[store.mongo.database][name].index_information()
            assert len(indexes) > 1
            assert not any(index.get("unique") for index in indexes.values()), name
