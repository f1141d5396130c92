"""MongoDB: opened at first use in each process, named without credentials."""

import os
from threading import Lock
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from rrcli.repository.mongo_redis_errors import Edge, checked
from rrcli.settings import MongoSettings

Document: TypeAlias = dict[str, Any]

PING_SECONDS = 2.0

# Only what the URI leaves open. With w=majority a standalone server answers after its journal is on disk.
_MONGO_DEFAULTS: dict[str, Any] = {
    "appName": "rrule-scheduler",
    "w": "majority",
    "retryWrites": True,
    "serverSelectionTimeoutMS": 3000,
    "connectTimeoutMS": 2000,
    "socketTimeoutMS": 10_000,
}
# A date or a text that Python cannot hold is one unreadable document, not a failed batch. Times come naive,
# in UTC: to make them aware in the driver costs as much as all other decoding together.
CODEC: CodecOptions[Any] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",
)
RAW_CODEC: CodecOptions[RawBSONDocument] = CodecOptions(
    document_class=RawBSONDocument,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",
)
"""For documents that are looked at before they are decoded, if they ever are."""


class MongoServer:
    """MongoDB under `mongo.uri`."""

    def __init__(self, settings: MongoSettings) -> None:
        self._uri = settings.uri or ""
        self._database = settings.database
        self._lock = Lock()
        self._opened: tuple[int, MongoClient[Document], Database[Document]] | None = None
        self.name = f"mongo {_mongo_hosts(self._uri)}/{settings.database}"
        self.edge = Edge(self.name)

    def collection(self, name: str) -> Collection[Document]:
        """A collection of this process's client."""
        return self.database()[name]

    def database(self) -> Database[Document]:
        """The database, through a client that belongs to this process: threads do not survive a fork."""
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            opened = self._open()
        return opened[2]

    def _open(self) -> tuple[int, MongoClient[Document], Database[Document]]:
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                with checked("mongo.uri", "mongodb://user:password@host:27017/"):
                    client: MongoClient[Document] = MongoClient(self._uri, **_defaults(self._uri))
                    database = client.get_database(self._database, codec_options=CODEC)
                self._opened = (os.getpid(), client, database)
            return self._opened

    def ping(self) -> None:
        """Raises StoreUnavailable when no writable server answers within about two seconds."""
        with self.edge, pymongo.timeout(PING_SECONDS):
            self.database().command("ping")

    def close(self) -> None:
        """Close this process's client."""
        opened, self._opened = self._opened, None
        if opened is not None and opened[0] == os.getpid():
            opened[1].close()


def _defaults(uri: str) -> dict[str, Any]:
    given = {name.lower() for name, _ in parse_qsl(uri.partition("?")[2])}
    return {name: value for name, value in _MONGO_DEFAULTS.items() if name.lower() not in given}


def _mongo_hosts(uri: str) -> str:
    """The hosts of a URI: what stands between credentials and path."""
    rest = uri.partition("://")[2].rpartition("@")[2]
    return rest.partition("/")[0].partition("?")[0]
