"""What only the production backend has: indexes, scripts, foreign data, servers that go away."""

import os
import re
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from typing import Any

import pytest
from bson import ObjectId
from bson.datetime_ms import DatetimeMS
from msgspec import structs
from pymongo import MongoClient
from pymongo.database import Database
from redis import Redis

from rrcli.core.api_keys import Scope, issue
from rrcli.core.calendars import Calendar
from rrcli.core.idempotency import Answer, first_use
from rrcli.core.models import Event, EventState, ScheduleState, Span
from rrcli.errors import InvalidSettings, StoreCorrupt, StoreUnavailable
from rrcli.repository.base import Advance, Channel, Heartbeat, QueueEntry, Repository
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.contract.samples import LONG, NO_TIME, NOON, after, ended, entry, event, schedule, schedule_id
from tests.support.lossy_proxy import lossy_proxy
from tests.support.servers import RedisServer, free_port, mongod, redis_server, replica_set

pytestmark = pytest.mark.servers

A, B = f"{0xA:024x}", f"{0xB:024x}"
NOWHERE = "mongodb://127.0.0.1:1/"


@pytest.fixture(params=["mongo_redis"])
def store(store: Settings) -> Settings:
    """Only this backend."""
    return store


@pytest.fixture
def mongo(store: Settings) -> Iterator[Database[dict[str, Any]]]:
    """The database behind the repository."""
    with MongoClient[dict[str, Any]](store.mongo.uri) as client:
        yield client[store.mongo.database]


@pytest.fixture
def redis(store: Settings) -> Iterator[Redis]:
    """The Redis behind the repository."""
    assert store.redis.url
    with Redis.from_url(store.redis.url, decode_responses=True) as client:
        yield client


def settings(mongo_uri: str = NOWHERE, redis_url: str = "redis://127.0.0.1:1/0") -> Settings:
    base = Settings()
    return replace(base, mongo=replace(base.mongo, uri=mongo_uri), redis=replace(base.redis, url=redis_url))


def key_of(redis: Redis, name: str) -> str:
    """The one key that starts with `name`."""
    (key,) = redis.keys(f"{name}:*")
    return str(key)


def use_every_query(repository: Repository) -> None:
    """Call whatever reads or writes MongoDB, with enough behind it for indexes to matter."""
    schedules, events = repository.schedules, repository.events
    schedules.add([schedule(number, tags=("a",)) for number in range(50)])
    schedules.get([schedule_id(1)])
    schedules.known([schedule_id(1)])
    for reference in (schedule_id(1), "schedule 1", schedule_id(1)[:5]):
        schedules.resolve(reference)
    for state in (None, ScheduleState.PAUSED):
        for name in (None, "DULE 1"):
            for tag in (None, "a"):
                schedules.find(state=state, name=name, tag=tag, limit=5, offset=2)
    schedules.replace(schedule(1, revision=2), expected_revision=1)
    schedules.due(after(20), 5)
    schedules.timetables(after(20), 5)
    schedules.timetables(after(20), 5, since=after(10))
    schedules.advance([Advance(schedule_id=schedule_id(2), rule_revision=1, next_run=None)])
    schedules.exhausted(5)
    schedules.using_calendar("de", limit=5)
    schedules.using_calendar("de", after_id=schedule_id(1), limit=5)
    schedules.counts()
    schedules.remove(schedule_id(3))

    many = [event(number) for number in range(100)]
    ids = [each.id for each in many]
    events.add(many)
    events.add(many[:5])
    events.get(ids)
    events.find(ids[0])
    events.resolve(ids[0][:6])
    events.dispatched(ids[:3], NOON, due_by=after(9))
    events.save(many[:3])
    events.live(after_id="", limit=5)
    events.live(after_id=ids[3], limit=5)
    events.unfinished(schedule_id(1), before=after(50))
    events.between(schedule_id(1), NOON, after(50), limit=5)
    events.covering(schedule_id(1), after(50))
    events.archive([ended(each) for each in many[:20]], NOON)
    events.archive([ended(each, EventState.SUPERSEDED) for each in many[20:22]], NOON)
    events.add(many[18:22])
    events.archived(ids)
    events.claimed(ids)
    span = Span(first=NOON, last=NOON, count=2)
    for _ in range(2):
        events.record_skips([structs.replace(event(200, state=EventState.SKIPPED), span=span)], NOON)
    for owner in (None, schedule_id(1)):
        events.pending(owner, limit=5)
        events.history(owner, limit=5)
    events.results(schedule_id(1), 5)
    events.discard(ids[30:31])
    events.purge(after(1), 3)
    events.forget(schedule_id(1))

    calendar = Calendar(name="de", version="1", updated_at=NOON)
    repository.calendars.put(calendar)
    repository.calendars.get(["de"])
    repository.calendars.versions(["de"])
    repository.calendars.list()
    repository.calendars.remove("de")

    use = first_use("", "key", "fingerprint", NOON)
    for keys in (repository.idempotency_keys,) * 2:
        keys.begin(use, NOON)
        keys.release(use)
        keys.forget(use)
    keys.finish(use, Answer(status=200), NOON)

    repository.heartbeats.beat(heartbeat())
    repository.heartbeats.list(NOON)
    repository.heartbeats.stop("i")

    key, _ = issue("a key", Scope.READ, bytes(38), NOON)
    repository.api_keys.add(key)
    repository.api_keys.get(key.id)
    repository.api_keys.list()
    repository.api_keys.exist()
    repository.api_keys.used(key.id, NOON)
    repository.api_keys.revoke(key.id, NOON)


def heartbeat() -> Heartbeat:
    return Heartbeat(
        daemon="worker", instance="i", host="h", pid=1, started_at=NOON, seen_at=NOON, detail={"a": 1.0}
    )


def test_no_query_reads_through_a_collection(repository: Repository, mongo: Database[dict[str, Any]]) -> None:
    mongo.command("profile", 2)
    use_every_query(repository)
    mongo.command("profile", 0)

    plans = {
        (each["ns"].partition(".")[2], each["op"], str(each["command"].get("filter", "")), plan)
        for each in mongo["system.profile"].find()
        if (plan := each.get("planSummary"))
    }
    assert len(plans) > 20
    assert [plan for plan in plans if "COLLSCAN" in plan[-1] and "system." not in plan[0]] == []


def test_indexes_are_as_few_as_the_queries_need(
    repository: Repository, mongo: Database[dict[str, Any]]
) -> None:
    assert repository.schedules.counts() == {}
    assert len(mongo["events"].index_information()) == 2
    assert len(mongo["archived_events"].index_information()) == 6


def test_ids_are_stored_as_object_ids_and_times_as_dates(
    repository: Repository, mongo: Database[dict[str, Any]]
) -> None:
    repository.events.add([event(1)])

    (stored,) = mongo["events"].find()
    assert stored["_id"] == ObjectId(event(1).id)
    assert stored["schedule_id"] == ObjectId(schedule_id(1))
    assert stored["state"] == stored["status"][-1]["status"] == "ready_queue"
    assert stored["run_time"] == after(1).replace(tzinfo=None)


def scripts() -> list[str]:
    folder = resources.files("rrcli.repository").joinpath("lua")
    return sorted(each.name for each in folder.iterdir() if each.name.endswith(".lua"))


@pytest.mark.parametrize("name", scripts())
def test_a_script_names_its_keys_in_its_header_and_touches_no_others(name: str) -> None:
    text = resources.files("rrcli.repository").joinpath("lua", name).read_text("utf-8")
    header = re.findall(r"^-- (KEYS\[.+?\]) .*(?:ZSET|HASH|STRING)", text, re.M)
    code = re.sub(r"--.*", "", text).replace("table.remove(KEYS)", "KEYS[#KEYS]")
    for local in re.findall(r"local (\w+) = KEYS", code):
        code = re.sub(rf"\b{local}\b", "KEYS", code)

    assert sorted(set(re.findall(r"KEYS\[.+?\]", code))) == header
    called = re.findall(r"redis\.call\('(\w+)'(?:, ([^,)]+))?", code)
    assert called
    for command, first in called:
        assert command == "TIME" or first.startswith("ARGV" if command == "PUBLISH" else "KEYS"), command


def run_through_all_moves(repository: Repository) -> None:
    queues = repository.queues
    queues.add([entry(A), entry(B, 1)])
    assert queues.due(after(0), 9) == [A]
    assert queues.promote([A, B]) == 2
    assert queues.claim("w", 1, LONG) == [A]
    assert queues.held("w") == {A}
    assert queues.extend("w", LONG)
    queues.retry("w", [entry(A, 5)])
    assert queues.claim("w", 1, NO_TIME) == [B]
    assert queues.reap() == 1
    assert queues.claim("w", 1, LONG) == [B]
    assert queues.release("w") == 1
    assert queues.claim("w", 1, LONG) == [B]
    queues.acknowledge("w", [B])
    assert queues.missing([A, B]) == {B}
    assert queues.withdraw([A]) == {A}


@contextmanager
def cluster_node() -> Iterator[tuple[RedisServer, Redis, int]]:
    """A server of a cluster, its client and the port of its bus."""
    # By default the bus is 10,000 above the port, where there may be none.
    bus = free_port()
    with (
        redis_server("--cluster-enabled", "yes", "--cluster-port", str(bus)) as server,
        Redis(port=server.port) as client,
    ):
        yield server, client, bus


def test_every_move_is_legal_on_a_cluster_and_finds_the_node_that_has_the_keys() -> None:
    with cluster_node() as (first, one, _), cluster_node() as (second, two, bus):
        one.execute_command("CLUSTER", "MEET", "127.0.0.1", second.port, bus)
        one.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
        two.execute_command("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
        for client in (one, two):
            while "cluster_state:ok" not in client.execute_command("CLUSTER", "INFO").decode():
                time.sleep(0.05)
        for server in (first, second):
            with open_repository(settings(redis_url=server.url)) as repository:
                waiter = repository.waiter(Channel.WORKER)
                repository.queues.incarnation()
                assert repository.queues.depths().ready == 0
                run_through_all_moves(repository)
                assert select.select([waiter], [], [], 5)[0]
                waiter.close()
        assert sorted((one.dbsize(), two.dbsize()))[0] == 0


def test_scripts_are_loaded_again_after_a_flush(repository: Repository, redis: Redis) -> None:
    run_through_all_moves(repository)
    redis.script_flush()
    run_through_all_moves(repository)


def test_two_deployments_in_one_redis_do_not_meet(repository: Repository, store: Settings) -> None:
    repository.queues.add([entry(A)])

    other = replace(store, mongo=replace(store.mongo, database="another"))
    with open_repository(other) as second:
        assert second.queues.head() is None


def test_thousands_of_ids_in_one_call(repository: Repository) -> None:
    ids = [f"{number:024x}" for number in range(9001)]
    queues = repository.queues

    queues.add([QueueEntry(event_id=each, due=NOON) for each in ids])
    assert queues.missing(ids) == set()
    assert queues.promote(ids) == 9001
    assert queues.claim("w", 9001, NO_TIME) == ids
    assert queues.reap() == 9001
    assert queues.withdraw(ids) == set(ids)


def test_reap_finds_claims_whose_lease_was_deleted(repository: Repository, redis: Redis) -> None:
    repository.queues.add([entry(A), entry(B)])
    repository.queues.promote([A, B])
    repository.queues.claim("w1", 1, LONG)
    repository.queues.claim("w2", 1, LONG)
    redis.zrem(key_of(redis, "leases"), "w1")

    assert repository.queues.reap() == 1
    assert repository.queues.claim("w2", 9, LONG) == [A]


def test_reap_gives_a_claim_of_unknown_form_to_the_workers(repository: Repository, redis: Redis) -> None:
    repository.queues.add([entry(A)])
    repository.queues.promote([A])
    repository.queues.claim("w", 1, LONG)
    redis.hset(key_of(redis, "in_flight"), B, "what")

    assert repository.queues.reap() == 1
    assert repository.queues.claim("w", 9, LONG) == [B]


def test_a_claim_keeps_its_place_when_it_comes_back(repository: Repository) -> None:
    repository.queues.add([entry(A, 1), entry(B, 2)])
    repository.queues.promote([A, B])
    assert repository.queues.claim("w1", 1, LONG) == [A]
    repository.queues.release("w1")

    assert repository.queues.claim("w2", 1, LONG) == [A]


def test_an_emptied_redis_is_another_incarnation(repository: Repository, redis: Redis) -> None:
    before = repository.queues.incarnation()
    assert repository.queues.incarnation() == before

    redis.flushdb()
    assert repository.queues.incarnation() != before


def test_a_restarted_redis_is_another_incarnation_and_serves_at_once() -> None:
    with (
        redis_server("--appendonly", "yes") as server,
        open_repository(settings(redis_url=server.url)) as store,
    ):
        before = store.queues.incarnation()
        run_through_all_moves(store)
        server.restart()

        assert store.queues.incarnation() != before
        assert store.queues.extend("w", LONG) is False
        run_through_all_moves(store)


def test_a_lease_that_came_through_a_restart_is_doubted_once() -> None:
    """What was read from disk, or a replica, may lack the newest claims; a waiter's loss is no error."""
    with (
        redis_server("--appendonly", "yes") as server,
        open_repository(settings(redis_url=server.url)) as store,
    ):
        store.queues.add([entry(A)])
        store.queues.promote([A])
        assert store.queues.claim("w", 1, LONG) == [A]
        assert store.queues.extend("w", LONG) is True
        waiter = store.waiter(Channel.WORKER)
        server.restart()
        waiter.drain()
        waiter.close()

        assert store.queues.extend("w", LONG) is False
        assert store.queues.held("w") == {A}
        assert store.queues.extend("w", LONG) is True


def test_a_waiter_survives_a_restart() -> None:
    with redis_server() as server, open_repository(settings(redis_url=server.url)) as store:
        waiter = store.waiter(Channel.WORKER)
        server.restart()
        assert select.select([waiter], [], [], 5)[0]
        waiter.drain()
        assert not select.select([waiter], [], [], 0.05)[0]

        store.queues.add([entry(A)])
        store.queues.promote([A])
        assert select.select([waiter], [], [], 5)[0]
        waiter.close()


def test_a_waiter_says_when_its_server_is_away() -> None:
    with redis_server() as server, open_repository(settings(redis_url=server.url)) as store:
        waiter = store.waiter(Channel.WORKER)
        server.kill()
        with pytest.raises(StoreUnavailable):
            waiter.drain()
        with pytest.raises(StoreUnavailable):
            waiter.fileno()
        server.start()
        assert waiter.fileno() >= 0
        waiter.close()


def test_a_key_of_another_type_is_said_to_be_so(repository: Repository, redis: Redis) -> None:
    repository.queues.add([entry(A)])
    key = key_of(redis, "ready_queue")
    redis.set(key, "something else")

    with pytest.raises(StoreCorrupt) as caught:
        repository.queues.add([entry(B)])
    assert "delete the key" in str(caught.value.hint)
    with pytest.raises(StoreCorrupt):
        repository.queues.head()


FOREIGN: list[dict[str, Any]] = [
    {"_id": "not an id"},
    {"_id": ObjectId(), "name": "unrelated"},
    {"_id": ObjectId(), "state": "active", "next_run": DatetimeMS(-(2**60))},
    {"_id": ObjectId(), "state": "active", "next_run": None, "status": 7, "schedule_id": 7},
]


def test_foreign_documents_do_not_break_a_batch(
    repository: Repository, mongo: Database[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    ours = event(10**7)
    mongo["schedules"].insert_many(FOREIGN)
    mongo["events"].insert_many(FOREIGN)
    mongo["archived_events"].insert_many(FOREIGN)
    repository.schedules.add([schedule(1), schedule(2, next_run=None)])
    repository.events.add([ours])
    foreign_ids = [str(each["_id"]) for each in FOREIGN]

    assert repository.schedules.due(after(9), 1) == [schedule(1)]
    assert [each.id for each in repository.schedules.timetables(after(9), 1)] == [schedule_id(1)]
    assert repository.schedules.exhausted(1) == [schedule(2, next_run=None)]
    assert set(repository.schedules.get([schedule_id(1), *foreign_ids])) == {schedule_id(1)}
    assert schedule(1) in repository.schedules.find(limit=9).items
    assert repository.events.get([ours.id, *foreign_ids]) == {ours.id: ours}
    assert repository.events.live(after_id="", limit=1) == [ours]
    assert repository.events.pending(None, limit=9).items == (ours,)
    assert repository.events.history(None, limit=9).items == ()
    assert repository.events.counts()[EventState.READY] == 1
    logged = [each for each in caplog.records if getattr(each, "action", "") == "document_unreadable"]
    assert {getattr(each, "document_id", "") for each in logged} == set(foreign_ids)


def test_a_schedule_that_was_changed_by_hand_is_read_as_it_is_now(
    repository: Repository, mongo: Database[dict[str, Any]]
) -> None:
    repository.schedules.add([schedule(1)])
    for url in ("http://127.0.0.1:9/a", "http://127.0.0.1:9/b"):
        mongo["schedules"].update_one({}, {"$set": {"callback_url": url}})
        assert repository.schedules.get([schedule_id(1)])[schedule_id(1)].callback_url == url


def test_an_archived_entry_and_its_live_event_left_by_a_crash_are_settled_by_the_next_add(
    repository: Repository, mongo: Database[dict[str, Any]]
) -> None:
    repository.events.add([event(1)])
    (live,) = mongo["events"].find()
    repository.events.archive([ended(event(1))], NOON)
    mongo["events"].insert_one(live)

    assert repository.events.add([event(1)]) == []
    assert repository.events.get([event(1).id]) == {}


def test_a_superseded_entry_left_by_a_crash_gives_way_to_the_result(
    repository: Repository, mongo: Database[dict[str, Any]]
) -> None:
    repository.events.add([event(1)])
    (live,) = mongo["events"].find()
    repository.events.archive([ended(event(1), EventState.SUPERSEDED)], NOON)
    mongo["events"].insert_one(live)

    assert repository.events.archive([ended(event(1))], NOON) == set()
    assert repository.events.find(event(1).id) == ended(event(1))


def test_what_was_acknowledged_survives_a_crash_of_a_single_mongod() -> None:
    with mongod() as server, open_repository(settings(server.uri)) as store:
        store.init()
        store.events.add([event(1)])
        server.restart()
        assert store.events.find(event(1).id) == event(1)
        store.events.archive([ended(event(1))], NOON)
        server.restart()
        assert store.events.find(event(1).id) == ended(event(1))


def test_a_lost_reply_of_redis_is_repaired_by_calling_again() -> None:
    ids = {A, B}
    with (
        redis_server() as server,
        lossy_proxy("127.0.0.1", server.port) as proxy,
        open_repository(settings(redis_url=f"redis://{proxy.address}/0")) as store,
    ):
        run_through_all_moves(store)

        proxy.lose_next_reply()
        with pytest.raises(StoreUnavailable):
            store.queues.add([entry(A), entry(B)])
        store.queues.add([entry(A), entry(B)])
        assert store.queues.depths().ready == 2

        proxy.lose_next_reply()
        with pytest.raises(StoreUnavailable):
            store.queues.promote(ids)
        assert store.queues.promote(ids) == 0

        proxy.lose_next_reply()
        with pytest.raises(StoreUnavailable):
            store.queues.claim("w", 9, LONG)
        assert store.queues.held("w") == ids
        assert store.queues.depths().in_flight == 2


def test_a_lost_reply_of_mongo_is_repaired_by_calling_again() -> None:
    with (
        mongod() as server,
        lossy_proxy("127.0.0.1", server.port) as proxy,
        open_repository(settings(f"mongodb://{proxy.address}/?directConnection=true")) as store,
    ):
        store.init()

        proxy.lose_next_reply()
        with pytest.raises(StoreUnavailable):
            store.events.add([event(1), event(2)])
        assert {each.id for each in store.events.add([event(1), event(2)])} == {event(1).id, event(2).id}

        proxy.lose_next_reply()
        with pytest.raises(StoreUnavailable):
            store.events.archive([ended(event(1))], NOON)
        store.events.archive([ended(event(1))], NOON)
        assert store.events.history(None, limit=9).items == (ended(event(1)),)
        assert store.events.get([event(1).id]) == {}


@pytest.mark.parametrize("server", ["mongo", "redis"])
def test_a_server_that_is_not_there_is_named_without_credentials(server: str) -> None:
    port = free_port()
    there = settings(f"mongodb://user:secret@127.0.0.1:{port}/", f"redis://user:secret@127.0.0.1:{port}/0")
    with open_repository(there) as store:
        calls = {"mongo": lambda: store.events.counts(), "redis": lambda: store.queues.depths()}
        started = time.monotonic()
        with pytest.raises(StoreUnavailable) as caught:
            calls[server]()
        assert time.monotonic() - started < 5
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.ping()
        assert time.monotonic() - started < 3

    assert f"{server} 127.0.0.1:{port}" in str(caught.value.hint)
    assert caught.value.__cause__ is not None
    for text in (caught.value.message, str(caught.value.hint), store.description):
        assert "secret" not in text
        assert "user" not in text


def test_a_frozen_redis_is_unavailable_within_the_time_out_of_its_url() -> None:
    with (
        redis_server() as server,
        open_repository(settings(redis_url=f"{server.url}?socket_timeout=0.5")) as store,
    ):
        store.queues.depths()
        server.freeze()
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.queues.head()
        assert time.monotonic() - started < 3
        server.thaw()
        assert store.queues.head() is None


def test_a_redis_that_became_a_replica_is_connected_to_anew() -> None:
    with (
        redis_server() as server,
        Redis(port=server.port) as client,
        open_repository(settings(redis_url=server.url)) as store,
    ):
        store.queues.add([entry(A)])
        before = {each["id"] for each in client.client_list()}
        client.replicaof("127.0.0.1", free_port())
        with pytest.raises(StoreUnavailable):
            store.queues.add([entry(B)])
        client.replicaof("NO", "ONE")
        store.queues.add([entry(B)])

        assert {each["id"] for each in client.client_list()} - before
        assert store.queues.depths().ready == 2


def test_wrong_credentials_are_said_to_be_so(mongo_uri: str) -> None:
    with redis_server("--requirepass", "right") as server:
        store = open_repository(settings(redis_url=f"redis://:wrong@{server.address}/0"))
        with store, pytest.raises(StoreUnavailable) as caught:
            store.queues.head()
    assert "password" in str(caught.value.hint)

    store = open_repository(settings(mongo_uri.replace("mongodb://", "mongodb://user:wrong@")))
    with store, pytest.raises(StoreUnavailable) as caught:
        store.schedules.counts()
    assert "password" in str(caught.value.hint)
    assert "wrong" not in caught.value.message


def test_a_uri_that_makes_no_sense_is_a_matter_of_settings() -> None:
    with open_repository(settings("mongodb://host:port/")) as store, pytest.raises(InvalidSettings):
        store.ping()


def test_a_store_that_was_used_before_a_fork_works_in_both_processes(repository: Repository) -> None:
    repository.events.add([event(1)])
    repository.queues.add([entry(A)])

    child = os.fork()
    if child == 0:
        try:
            repository.events.add([event(2)])
            repository.queues.add([entry(B)])
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0

    assert len(repository.events.live(after_id="", limit=9)) == 2
    assert repository.queues.depths().ready == 2


@pytest.mark.slow
def test_a_new_primary_takes_over_within_the_call() -> None:
    with replica_set() as members, open_repository(settings(members.uri)) as store:
        store.init()
        store.events.add([event(1)])
        members.primary().kill()
        deadline = time.monotonic() + 20
        entered: list[Event] = []
        while not entered and time.monotonic() < deadline:
            try:
                entered = store.events.add([event(2)])
            except StoreUnavailable:
                continue
        assert entered == [event(2)]
        assert store.events.find(event(1).id) == event(1)


@pytest.mark.parametrize("program", ["redis-server"])
def test_every_move_works_on_the_oldest_redis(program: str) -> None:
    import shutil
    import sys
    from pathlib import Path

    path = shutil.which(program, path=str(Path(sys.executable).parent))
    if path is None:
        pytest.skip(f"{program} is not installed")
    with redis_server(program=path) as server:
        assert isinstance(server, RedisServer)
        with open_repository(settings(redis_url=server.url)) as store:
            run_through_all_moves(store)
            store.queues.incarnation()


def test_a_lease_lives_by_the_clock_of_the_server(repository: Repository) -> None:
    repository.queues.add([entry(A)])
    repository.queues.promote([A])
    repository.queues.claim("w", 1, timedelta(milliseconds=30))
    time.sleep(0.05)

    assert repository.queues.extend("w", LONG) is False
    assert repository.queues.reap() == 1
