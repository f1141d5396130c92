"""Redis behind Sentinels: whoever is master now, asked of them at every new connection.

redis+sentinel://user:password@host:26379,host:26379/mymaster/0?sentinel_password=secret
"""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

from redis import Redis
from redis.sentinel import Sentinel

from rrcli.repository.mongo_redis_urls import ManyHosts

SENTINEL_FORM = "redis+sentinel://user:password@host:26379,host:26379/mymaster/0"

_SCHEMES = {"redis+sentinel": False, "rediss+sentinel": True}
_PORT = 26379


def is_sentinel(url: str) -> bool:
    """Whether the URL names Sentinels."""
    return ManyHosts.of(url).scheme in _SCHEMES


def sentinel_client(url: str, options: Mapping[str, Any]) -> Redis:
    """A client of the master that the Sentinels name; user and password of the URL are the master's.

    The Sentinels' own are in the query: `sentinel_username`, `sentinel_password`. Nothing is connected yet.
    Raises ValueError when the URL has not the form.
    """
    parts = ManyHosts.of(url)
    name, _, number = parts.path.strip("/").partition("/")
    if not name:
        raise ValueError("the name of the master is missing")
    user, _, password = parts.access.partition(":")
    given = dict(parse_qsl(parts.query))
    secure = {"ssl": True} if _SCHEMES[parts.scheme] else {}
    sentinels = Sentinel(  # type: ignore[no-untyped-call]
        parts.addresses(_PORT),
        sentinel_kwargs=dict(options)
        | secure
        | {
            "username": given.get("sentinel_username"),
            "password": given.get("sentinel_password"),
        },
        **options,
    )
    client = sentinels.master_for(  # type: ignore[no-untyped-call]
        name,
        db=int(number or 0),
        username=unquote(user) or None,
        password=unquote(password) or None,
        **secure,
    )
    return cast(Redis, client)


def sentinel_place(url: str) -> str:
    """`host:port,host:port/master/database`, without credentials."""
    parts = ManyHosts.of(url)
    return f"{parts.hosts}{parts.path}"
