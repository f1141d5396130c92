"""MongoDB losing its primary, and a network between daemons and servers that loses what it should not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event as Pause
from urllib.parse import urlsplit

import pytest
from pymongo.errors import PyMongoError

from rrcli.settings import Settings
from tests.faults.running import LONG, Load, load
from tests.support import servers
from tests.support.lossy_proxy import LossyProxy, lossy_proxy
from tests.support.receiver import Receiver

pytestmark = pytest.mark.servers
BACKEND = "MongoDB + Redis"
CUT_SECONDS = 5.0 if LONG else 0.8


@pytest.fixture(scope="module")
def members(mongo_uri: str) -> Iterator[servers.ReplicaSet]:
    """Three nodes; the session's fixture says first whether there is a mongod."""
    with servers.replica_set() as started:
        yield started


@pytest.fixture
def on_members(store: Settings, members: servers.ReplicaSet) -> Settings:
    uri = members.uri + "&w=majority"
    return replace(store, mongo=replace(store.mongo, uri=uri))


@pytest.mark.parametrize("store", ["mongo_redis"], indirect=True)
def test_a_primary_that_is_killed_is_replaced(
    on_members: Settings, members: servers.ReplicaSet, target: Receiver, tmp_path: Path
) -> None:
    with load(on_members, target, tmp_path / "log") as under_load:
        under_load.wait_for_calls(100)
        old = members.primary()
        old.kill()
        members.primary()
        under_load.over()
        verdict = under_load.settle("MongoDB primary killed", BACKEND)
        old.start()
    assert verdict.doubles == 0


@pytest.mark.parametrize("store", ["mongo_redis"], indirect=True)
def test_a_primary_that_steps_down_is_replaced(
    on_members: Settings, members: servers.ReplicaSet, target: Receiver, tmp_path: Path
) -> None:
    with load(on_members, target, tmp_path / "log") as under_load:
        under_load.wait_for_calls(100)
        with members.primary().client() as client:
            step_down(client)
        members.primary()
        under_load.over()
        under_load.settle("MongoDB primary stepped down", BACKEND)


def step_down(client: object) -> None:
    """The node closes the connection, or says that its followers are behind: asked again until it goes."""
    for _ in range(100):
        try:
            client.admin.command("replSetStepDown", 10, secondaryCatchUpPeriodSecs=5)  # type: ignore[attr-defined]
        except PyMongoError as error:
            if "electable" in str(error) or "caught up" in str(error):
                Pause().wait(0.1)
                continue
        return


@pytest.fixture
def mongo_proxy(mongo_uri: str) -> Iterator[LossyProxy]:
    place = urlsplit(mongo_uri)
    with lossy_proxy(place.hostname or "", place.port or 27017) as proxy:
        yield proxy


@pytest.fixture
def redis_proxy(redis_url: str) -> Iterator[LossyProxy]:
    place = urlsplit(redis_url)
    with lossy_proxy(place.hostname or "", place.port or 6379) as proxy:
        yield proxy


@pytest.fixture
def through(store: Settings, mongo_proxy: LossyProxy, redis_proxy: LossyProxy) -> Settings:
    """The store behind both proxies."""
    uri, url = f"mongodb://{mongo_proxy.address}/?directConnection=true", urlsplit(store.redis.url or "")
    return replace(
        store,
        mongo=replace(store.mongo, uri=uri),
        redis=replace(store.redis, url=f"redis://{redis_proxy.address}{url.path}"),
    )


def drops(proxy: LossyProxy) -> None:
    proxy.drop()
    Pause().wait(CUT_SECONDS)
    proxy.mend()


def resets(proxy: LossyProxy) -> None:
    for _ in range(10):
        proxy.reset_all()
        Pause().wait(CUT_SECONDS / 10)


def delays(proxy: LossyProxy) -> None:
    proxy.delay(0.05)
    Pause().wait(CUT_SECONDS)
    proxy.delay(0)


def loses_replies(proxy: LossyProxy) -> None:
    proxy.lose_replies(0.1)
    Pause().wait(CUT_SECONDS)
    proxy.lose_replies(0)


@pytest.mark.parametrize("store", ["mongo_redis"], indirect=True)
def test_a_network_that_fails_in_every_way_loses_nothing(
    through: Settings, mongo_proxy: LossyProxy, redis_proxy: LossyProxy, target: Receiver, tmp_path: Path
) -> None:
    """Between the daemons and both servers: resets, replies lost after the effect, delays, a cut."""
    with load(through, target, tmp_path / "log") as under_load:
        under_load.wait_for_calls(100)
        fail(under_load, mongo_proxy, redis_proxy)
        under_load.settle("Network resets, loses replies, delays, drops", BACKEND)


def fail(under_load: Load, *proxies: LossyProxy) -> None:
    for failure in (resets, loses_replies, delays, drops):
        for proxy in proxies:
            failure(proxy)
    under_load.over()
