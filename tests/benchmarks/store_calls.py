"""The least that a worker must ask of MongoDB and Redis: its calls to the stores alone, with nothing around.

Claim, read, archive, delete, acknowledge, in batches as large as a worker's: documents go from the one
collection to the other as the bytes that came, schedules are not read, nothing is decoded or decided, no call
is made, and one thread does it all. What this takes of a processor no worker in Python can save.
"""

import time
from collections.abc import Sequence
from datetime import timedelta

import psutil
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from rrcli_daemons.worker import EVENTS_PER_CLAIM
from tests.benchmarks.draining import Work, filled
from tests.benchmarks.sender import Figure

WORKER = "benchmark"
LEASE = timedelta(minutes=1)


def store_calls(store: Settings, work: Work) -> Figure:
    """Events a second, and CPU of this process for each."""
    with open_repository(store) as repository:
        repository.init()
        ids = filled(repository, store, work)
        repository.queues.promote(ids)
        with MongoClient[RawBSONDocument](
            store.mongo.uri, document_class=RawBSONDocument, w="majority"
        ) as client:
            database = client[store.mongo.database]
            began, cpu = time.perf_counter(), _cpu_seconds()
            while claimed := repository.queues.claim(WORKER, EVENTS_PER_CLAIM, LEASE):
                _id = {"_id": {"$in": _object_ids(claimed)}}
                found = database["events"].find(_id, batch_size=EVENTS_PER_CLAIM + 1).to_list()
                database["archived_events"].insert_many(found, ordered=False)
                database["events"].delete_many(_id)
                repository.queues.acknowledge(WORKER, claimed)
            seconds, spent = time.perf_counter() - began, _cpu_seconds() - cpu
    return Figure(len(ids) / seconds, spent / len(ids) * 1e6)


def _object_ids(ids: Sequence[str]) -> list[ObjectId]:
    return [ObjectId(each) for each in ids]


def _cpu_seconds() -> float:
    times = psutil.Process().cpu_times()
    return times.user + times.system
