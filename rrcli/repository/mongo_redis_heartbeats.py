"""`heartbeats` in MongoDB."""

from datetime import datetime, timedelta

from pymongo import DeleteMany, ReplaceOne
from pymongo.collection import Collection

from rrcli.repository.base import Heartbeat
from rrcli.repository.mongo_redis_connection import Document, MongoServer
from rrcli.repository.mongo_redis_documents import heartbeat_document, heartbeat_record, readable

# Instances that died without a word are forgotten after this long.
_KEPT = timedelta(days=7)


class MongoHeartbeats:
    """Signs of life, one document an instance."""

    def __init__(self, mongo: MongoServer) -> None:
        self._mongo = mongo

    def init(self) -> None:
        """Make the index."""
        with self._mongo.edge:
            self._all.create_index("seen_at")

    def beat(self, heartbeat: Heartbeat) -> None:
        document = heartbeat_document(heartbeat)
        with self._mongo.edge:
            self._all.bulk_write(
                [
                    ReplaceOne({"_id": heartbeat.instance}, document, upsert=True),
                    DeleteMany({"seen_at": {"$lt": heartbeat.seen_at - _KEPT}}),
                ]
            )

    def stop(self, instance: str) -> None:
        with self._mongo.edge:
            self._all.delete_one({"_id": instance})

    def list(self, since: datetime) -> list[Heartbeat]:
        with self._mongo.edge:
            found = readable(heartbeat_record, self._all.find({"seen_at": {"$gte": since}}))
        return sorted(found, key=lambda heartbeat: (heartbeat.daemon, heartbeat.instance))

    @property
    def _all(self) -> Collection[Document]:
        return self._mongo.collection("heartbeats")
