"""Redis behind Sentinels: whoever is master now, asked of them at every new connection.

redis+sentinel://user:password@host:26379,host:26379/mymaster/0?sentinel_password=secret
"""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from redis import Redis
from redis.sentinel import Sentinel

from rrcli.repository.mongo_redis_cluster import addresses

SENTINEL_FORM = "redis+sentinel://user:password@host:26379,host:26379/mymaster/0"

_SCHEMES = {"redis+sentinel": False, "rediss+sentinel": True}
_PORT = 26379


def is_sentinel(url: str) -> bool:
    """Whether the URL names Sentinels."""
    return urlsplit(url).scheme in _SCHEMES


def sentinel_client(url: str, options: Mapping[str, Any]) -> Redis:
    """A client of the master that the Sentinels name; user and password of the URL are the master's.

    The Sentinels' own are in the query: `sentinel_username`, `sentinel_password`. Nothing is connected yet.
    Raises ValueError when the URL has not the form.
    """
    parts = urlsplit(url)
    name, _, number = parts.path.strip("/").partition("/")
    if not name:
        raise ValueError("the name of the master is missing")
    access, _, _ = parts.netloc.rpartition("@")
    user, _, password = access.partition(":")
    given = dict(parse_qsl(parts.query))
    secure = {"ssl": True} if _SCHEMES[parts.scheme] else {}
    sentinels = Sentinel(  # type: ignore[no-untyped-call]
        addresses(parts.netloc, _PORT),
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
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
