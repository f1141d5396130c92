"""URLs of Redis behind Sentinels: what they may say, and how they are named without credentials."""

from typing import Any

import pytest

from rrcli.errors import InvalidSettings
from rrcli.repository.mongo_redis_sentinel import sentinel_client
from rrcli.repository.mongo_redis_server import RedisServer
from rrcli.settings import RedisSettings

URL = "redis+sentinel://u:p%40ss@one:26380,[::1]:26381,three/mymaster/2?sentinel_password=s"


def test_every_part_of_the_url_is_understood() -> None:
    pool: Any = sentinel_client(URL, {}).connection_pool
    watchers = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]
    assert [(each["host"], each["port"]) for each in watchers] == [
        ("one", 26380),
        ("::1", 26381),
        ("three", 26379),
    ]
    assert {each["password"] for each in watchers} == {"s"}
    assert pool.service_name == "mymaster"
    given = pool.connection_kwargs
    assert (given["db"], given["username"], given["password"]) == (2, "u", "p@ss")


def test_it_is_named_without_credentials() -> None:
    assert RedisServer(RedisSettings(url=URL)).name == "redis one:26380,[::1]:26381,three/mymaster/2"


@pytest.mark.parametrize(
    "url",
    ["redis+sentinel://one:1", "redis+sentinel://one:port/m", "redis+sentinel://one:1/m/first"],
)
def test_a_url_without_its_form_is_refused_with_the_form(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        RedisServer(RedisSettings(url=url))
    assert "mymaster" in str(caught.value.hint)
