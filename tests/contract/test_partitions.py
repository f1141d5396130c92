"""Queues in partitions: spread over the masters of a Redis Cluster, and split anew without harm."""

import select
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.errors import InvalidSettings, StoreUnavailable
from rrcli.repository.base import Channel, QueueEntry, Repository
from rrcli.repository.factory import open_repository
from rrcli.repository.mongo_redis_partitions import Partitions
from rrcli.repository.mongo_redis_server import RedisServer
from rrcli.repository.mongo_redis_shares import earliest, even
from rrcli.settings import RedisSettings, Settings
from tests.contract.samples import LONG, NO_TIME, NOON, after, entry, event
from tests.support.redis_cluster import ClusterNode, RedisCluster
from tests.support.stores import PARTITIONS

IDS = [event(number).id for number in range(400)]


@pytest.fixture(params=["mongo_cluster"])
def store(store: Settings) -> Settings:
    """Four partitions on three masters."""
    return store


@pytest.fixture
def split(store: Settings) -> Iterator[Callable[[int], Repository]]:
    """Opens the store as a process would that knows another number of partitions."""
    with ExitStack() as stack:
        yield lambda number: stack.enter_context(
            open_repository(replace(store, redis=replace(store.redis, partitions=number)))
        )


def fill(repository: Repository, count: int = len(IDS)) -> None:
    """Put ids into the worker queue, the first due first."""
    repository.queues.add([entry(id, number) for number, id in enumerate(IDS[:count])])
    repository.queues.promote(IDS[:count])


def owner(cluster: RedisCluster, pattern: str) -> ClusterNode:
    """The first node that has such a key."""
    for node in cluster.nodes:
        with node.client() as client:
            if client.keys(pattern):
                return node
    raise AssertionError(f"no node has {pattern}")


def test_ids_are_spread_evenly() -> None:
    partitions = Partitions("x", 10)
    numbers = [partitions.of(id).number for id in IDS]
    assert min(numbers.count(number) for number in range(10)) > len(IDS) / 20


@pytest.mark.servers
def test_every_master_of_a_cluster_has_a_part(repository: Repository, cluster: RedisCluster) -> None:
    repository.queues.add([entry(id) for id in IDS])

    sizes = []
    for node in cluster.nodes:
        with node.client() as client:
            sizes.append(sum(client.zcard(key) for key in client.keys("ready_queue:*")))
    assert sum(sizes) == len(IDS)
    assert sum(size > 0 for size in sizes) >= 2


@pytest.mark.servers
def test_a_claim_takes_a_part_of_each_partition_and_leaves_none_behind(repository: Repository) -> None:
    fill(repository)
    seen: list[str] = []
    while got := repository.queues.claim("w", 40, LONG):
        seen += got
        parts = [Partitions("x", PARTITIONS).of(id).number for id in got]
        if len(seen) <= len(IDS) // 2:
            assert [parts.count(n) for n in range(PARTITIONS)] == [10] * PARTITIONS
    assert sorted(seen) == sorted(IDS)


@pytest.mark.servers
def test_a_claim_is_full_when_only_one_partition_has_something(repository: Repository) -> None:
    last = [id for id in IDS if Partitions("x", PARTITIONS).of(id).number == PARTITIONS - 1]
    repository.queues.add([entry(id) for id in last])
    repository.queues.promote(last)

    assert len(repository.queues.claim("w", 20, LONG)) == 20
    assert len(repository.queues.claim("w", 1, LONG)) == 1
    assert len(repository.queues.claim("w", len(IDS), LONG)) == len(last) - 21


@pytest.mark.servers
def test_due_gives_the_earliest_of_all_partitions(repository: Repository) -> None:
    repository.queues.add([entry(id, number) for number, id in enumerate(IDS)])

    assert repository.queues.due(after(1000), 60) == IDS[:60]
    many = repository.queues.due(after(1000), 200)
    assert len(many) == len(set(many)) == 200
    assert len(set(many) & set(IDS[:200])) > 150


@pytest.mark.servers
def test_thousands_of_ids_in_one_call(repository: Repository) -> None:
    ids = [f"{number:024x}" for number in range(9001)]
    queues = repository.queues

    assert queues.add([QueueEntry(event_id=each, due=NOON) for each in ids]) == 9001
    assert queues.missing(ids) == set()
    assert queues.promote(ids) == 9001
    assert sorted(queues.claim("w", 9001, NO_TIME)) == ids
    assert queues.reap() == 9001
    assert queues.withdraw(ids) == set(ids)


@pytest.mark.servers
def test_scripts_are_loaded_again_where_they_are_missing(
    repository: Repository, cluster: RedisCluster
) -> None:
    fill(repository, 20)
    with cluster.nodes[1].client() as client:
        client.script_flush()
    assert len(repository.queues.claim("w", 20, LONG)) == 20


@pytest.mark.servers
def test_a_process_that_knows_another_number_is_refused(
    repository: Repository, split: Callable[[int], Repository]
) -> None:
    fill(repository, 1)
    other = split(PARTITIONS + 1)
    for call in (
        lambda: other.queues.add([entry(IDS[0])]),
        lambda: other.queues.due(after(9), 9),
        lambda: other.queues.claim("w", 9, LONG),
        lambda: other.queues.depths(),
    ):
        with pytest.raises(StoreUnavailable, match="partitions") as caught:
            call()
        assert "redis.partitions" in str(caught.value.hint)
    assert repository.queues.depths().worker == 1


@pytest.mark.servers
@pytest.mark.parametrize(("before", "now"), [(1, 4), (4, 1), (6, 4), (4, 6)])
def test_after_a_change_of_the_number_the_queues_are_empty_and_others(
    split: Callable[[int], Repository], cluster: RedisCluster, before: int, now: int
) -> None:
    old, new = split(before), split(now)
    fill(old, 300)
    old.queues.add([entry(id) for id in IDS[300:]])
    token = old.queues.incarnation()
    old.queues.claim("w", 50, NO_TIME)

    assert new.queues.incarnation() != token
    assert new.queues.missing(IDS) == set(IDS)
    assert new.queues.depths().in_flight == 0
    left = []
    for node in cluster.nodes:
        with node.client() as client:
            left += client.keys("*_queue:*") + client.keys("in_flight:*") + client.keys("leases:*")
    assert left == []


@pytest.mark.servers
@pytest.mark.parametrize(("before", "now"), [(1, 4), (4, 1)])
def test_processes_of_the_old_number_are_shut_out_by_a_change(
    split: Callable[[int], Repository], before: int, now: int
) -> None:
    old, new = split(before), split(now)
    fill(old, 20)
    assert len(old.queues.due(NOON, 9)) == 0
    new.queues.incarnation()

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            old.queues.add([entry(id) for id in IDS])
        with pytest.raises(StoreUnavailable):
            old.queues.claim("w", 9, LONG)
        with pytest.raises(StoreUnavailable):
            old.queues.retake("w", [entry(id) for id in IDS], LONG)
    assert new.queues.missing(IDS) == set(IDS)
    new.queues.add([entry(id) for id in IDS])
    assert new.queues.depths().ready == len(IDS)


@pytest.mark.servers
@pytest.mark.parametrize(("before", "now"), [(1, 4), (4, 1), (3, 4)])
def test_a_change_waits_for_the_workers_of_the_old_number(
    split: Callable[[int], Repository], before: int, now: int
) -> None:
    old, new = split(before), split(now)
    fill(old, 20)
    held = set(old.queues.claim("w", 20, LONG))
    with pytest.raises(StoreUnavailable, match="not stopped"):
        new.queues.incarnation()

    assert old.queues.extend("w", LONG)
    assert old.queues.held("w") == held
    old.queues.release("w")
    new.queues.incarnation()
    assert new.queues.depths().worker == 0


@pytest.mark.servers
def test_a_change_that_was_cut_off_is_ended_by_the_next_one(split: Callable[[int], Repository]) -> None:
    old, new = split(6), split(2)
    fill(old)
    layout = new.queues._layout
    for part in reversed(layout._partitions.first(6)[1:]):
        layout._redis.call([layout._change(part)])
    with pytest.raises(StoreUnavailable):
        new.queues.depths()

    new.queues.incarnation()
    assert new.queues.depths().worker == 0
    with pytest.raises(StoreUnavailable):
        old.queues.claim("w", 1, LONG)


@pytest.mark.servers
def test_one_master_that_lost_its_data_is_another_incarnation(
    repository: Repository, cluster: RedisCluster
) -> None:
    fill(repository)
    before = repository.queues.incarnation()
    waiters = [repository.waiter(Channel.WORKER) for _ in range(6)]
    assert repository.queues.incarnation() == before
    owner(cluster, "worker_queue:*").restart()
    cluster.wait()

    assert repository.queues.incarnation() != before
    lost = repository.queues.missing(IDS)
    assert 0 < len(lost) < len(IDS)
    for waiter in waiters:
        waiter.drain()
    repository.queues.add([entry(id) for id in lost])
    repository.queues.promote(list(lost))
    assert len(repository.queues.claim("w", len(IDS), LONG)) == len(IDS)
    for waiter in waiters:
        assert select.select([waiter], [], [], 5)[0]
        waiter.close()


@pytest.mark.servers
def test_a_master_that_is_away_is_a_store_that_is_away(store: Settings, cluster: RedisCluster) -> None:
    with open_repository(store) as repository:
        repository.ping()
        fill(repository)
        cluster.nodes[0].kill()
        try:
            with pytest.raises(StoreUnavailable):
                repository.ping()
            with pytest.raises(StoreUnavailable):
                repository.queues.depths()
        finally:
            cluster.nodes[0].start()
            cluster.wait()
        repository.ping()
        repository.queues.depths()


@pytest.mark.servers
def test_partitions_need_the_whole_cluster_and_say_so(store: Settings, cluster: RedisCluster) -> None:
    node = replace(store.redis, url=cluster.nodes[0].url)
    with open_repository(replace(store, redis=node)) as repository:
        with pytest.raises(StoreUnavailable) as caught:
            repository.queues.missing(IDS)
        assert "redis+cluster://" in str(caught.value.hint)


def test_a_cluster_is_named_without_credentials() -> None:
    named = RedisServer(RedisSettings(url="redis+cluster://u:p@one:7000,[::1]:7001,three"))
    assert named.name == "redis one:7000,[::1]:7001,three"


@pytest.mark.parametrize(
    "url",
    [
        "redis+cluster://one:port",
        "redis+cluster://one:1/2",
        "redis+cluster://,",
        "rediss+cluster://one?socket_timeout=never",
    ],
)
def test_a_cluster_url_without_its_form_is_refused_with_the_form(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        RedisServer(RedisSettings(url=url))
    assert "redis+cluster" in str(caught.value.hint)


@given(limit=st.integers(1, 500), parts=st.integers(1, 20), turn=st.integers(0, 1000))
def test_equal_shares_are_the_whole_and_differ_by_one(limit: int, parts: int, turn: int) -> None:
    shares = list(even(Partitions("x", parts).all, limit, turn).values())
    assert sum(shares) == limit
    assert max(shares) - min(shares) <= 1


@given(
    dues=st.lists(st.lists(st.integers(0, 50), max_size=6).map(sorted), min_size=1, max_size=5),
    limit=st.integers(1, 6),
)
def test_the_shares_of_a_small_claim_are_the_earliest_of_all(dues: list[list[int]], limit: int) -> None:
    parts = Partitions("x", len(dues)).all
    heads = {
        part: [text for n, due in enumerate(row[:limit]) for text in (f"{part.number}-{n}", str(due))]
        for part, row in zip(parts, dues, strict=True)
    }
    shares = earliest(heads, limit)
    taken = sorted(due for part, row in zip(parts, dues, strict=True) for due in row[: shares[part]])
    assert taken == sorted(due for row in dues for due in row)[:limit]
