"""Documents that another program wrote: one bad schedule or event never stops the others."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from rrcli.core.models import EventState, Schedule
from rrcli.repository.base import Repository
from rrcli.settings import Settings
from tests.faults.running import backend_of, load
from tests.support.load import add_schedules
from tests.support.receiver import Receiver
from tests.support.stack import wait_until

AT_THE_HEAD = 600
"""More broken schedules than one look at the due ones takes, all due before every sound one."""

Damage = Callable[[dict[str, Any]], object]

SCHEDULE_DAMAGES: Mapping[str, Damage] = {
    "no rule": lambda document: document.pop("rrule"),
    "rule is a number": lambda document: document.update(rrule=5),
    "unreadable rule": lambda document: document.update(rrule="FREQ=NEVER"),
    "no policy": lambda document: document.pop("misfire"),
    "unheard-of policy": lambda document: document["misfire"].update(policy="sometimes"),
    "headers are a list": lambda document: document.update(headers=["a"]),
    "header value is a number": lambda document: document.update(headers={"a": 1}),
    "time-out is a text": lambda document: document.update(timeout_seconds="30"),
    "jitter is a text": lambda document: document.update(jitter_seconds="much"),
    "no URL": lambda document: document.update(callback_url=None),
    "URL is no URL": lambda document: document.update(callback_url="::"),
    "retry is a text": lambda document: document.update(retry="never"),
    "secret is no secret": lambda document: document.update(secrets=["whsec_%%%"]),
    "created is a text": lambda document: document.update(created_at="yesterday"),
}


def test_bad_schedules_at_the_head_of_the_queue_stop_no_other(
    store: Settings, repository: Repository, target: Receiver, tmp_path: Path
) -> None:
    early = add_schedules(
        repository, "http://127.0.0.1:9/", AT_THE_HEAD, each=1, starting_in=-timedelta(hours=2)
    )
    damages = list(SCHEDULE_DAMAGES.values())
    for number, schedule in enumerate(early):
        damage_schedule(store, schedule, damages[number % len(damages)])
    with load(store, target, tmp_path / "log", seconds=2, a_second=20) as under_load:
        under_load.settle("Documents of another program: bad schedules", backend_of(store))
        assert all(process.poll() is None for process in under_load.stack.processes.values())


def damage_schedule(store: Settings, schedule: Schedule, damage: Damage) -> None:
    if store.mongo.uri:
        with mongo(store) as client:
            collection = client[store.mongo.database]["schedules"]
            (document,) = collection.find({"_id": object_id(schedule.id)})
            damage(document)
            collection.replace_one({"_id": document["_id"]}, document)
        return
    with sqlite(store) as connection:
        (text,) = connection.execute("SELECT document FROM schedules WHERE id = ?", (schedule.id,)).fetchone()
        document = json.loads(text)
        damage(document)
        connection.execute(
            "UPDATE schedules SET document = ? WHERE id = ?", (json.dumps(document), schedule.id)
        )


EVENT_DAMAGES: Mapping[str, tuple[str, Any, Any]] = {
    "no status": ("status", [], "[]"),
    "status is a text": ("status", "ready", '"ready"'),
    "unheard-of kind": ("kind", "rare", "rare"),
    "revision is a text": ("revision", "one", "one"),
    "due is a text": ("due", "noon", "noon"),
    "schedule is a number": ("schedule_id", 5, "5"),
}


def test_bad_events_stop_no_other(
    store: Settings, repository: Repository, target: Receiver, tmp_path: Path
) -> None:
    with load(store, target, tmp_path / "log", seconds=3, a_second=20) as under_load:
        wait_until(lambda: bool(repository.events.history(None, limit=1).items), what="the first end")
        (model,) = repository.events.history(None, limit=1).items
        for number, (field, in_mongo, in_sqlite) in enumerate(EVENT_DAMAGES.values()):
            ready = (replace(model.status[0], status=EventState.READY),)
            bad = replace(model, id=f"00000000{number:016x}", status=ready, schedule_id="f" * 24, attempts=())
            assert repository.events.add([bad])
            damage_event(store, bad.id, field, in_mongo if store.mongo.uri else in_sqlite)
        under_load.settle("Documents of another program: bad events", backend_of(store))
        assert all(process.poll() is None for process in under_load.stack.processes.values())


def damage_event(store: Settings, event_id: str, field: str, value: Any) -> None:
    if store.mongo.uri:
        with mongo(store) as client:
            client[store.mongo.database]["events"].update_one(
                {"_id": object_id(event_id)}, {"$set": {field: value}}
            )
        return
    with sqlite(store) as connection:
        connection.execute(f"UPDATE events SET {field} = ? WHERE id = ?", (value, event_id))


def mongo(store: Settings) -> Any:
    from pymongo import MongoClient

    return MongoClient(store.mongo.uri)


def object_id(text: str) -> Any:
    from bson import ObjectId

    return ObjectId(text)


@contextmanager
def sqlite(store: Settings) -> Iterator[sqlite3.Connection]:
    """A connection that commits at the end of the block and closes."""
    file = Path(store.embedded.data_dir or "", "rrule-scheduler.db")
    with closing(sqlite3.connect(file, timeout=10)) as connection, connection:
        yield connection
