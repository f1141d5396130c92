"""Empty stores for benchmarks: MongoDB and Redis started for it, or one SQLite file."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rrcli import garbage
from rrcli.clock import Clock, SystemClock
from rrcli.operations.context import Context
from rrcli.repository.factory import open_repository
from rrcli.settings import Settings
from tests.support.servers import mongod, redis_server

KINDS = ("mongo_redis", "embedded")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a store is: the settings that open it, and a folder for what belongs to it."""

    kind: str
    settings: Settings
    folder: Path


@contextmanager
def place(kind: str, *mongo_options: str) -> Iterator[Place]:
    """A place that nobody has used; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="rrcli-bench-") as name:
        folder = Path(name)
        if kind == "embedded":
            embedded = replace(Settings().embedded, data_dir=str(folder))
            yield Place(kind=kind, settings=replace(Settings(), embedded=embedded), folder=folder)
            return
        with mongod(*mongo_options) as mongo, redis_server() as redis:
            settings = replace(
                Settings(),
                mongo=replace(Settings().mongo, uri=mongo.uri, database="bench"),
                redis=replace(Settings().redis, url=redis.url),
            )
            yield Place(kind=kind, settings=settings, folder=folder)


@contextmanager
def opened(where: Place, clock: Clock | None = None) -> Iterator[Context]:
    """The store, with its indexes made, in a process that is set as the daemons are."""
    garbage.search_seldom()
    with open_repository(where.settings) as repository:
        repository.init()
        yield Context(repository=repository, clock=clock or SystemClock(), settings=where.settings)
