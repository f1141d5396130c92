"""The production backend: schedules and the ledger in MongoDB, the queues in Redis or Valkey."""

from typing import Self

from rrcli.repository.base import (
    ApiKeys,
    Calendars,
    Channel,
    EventLists,
    Events,
    Heartbeats,
    IdempotencyKeys,
    Inspection,
    Outcomes,
    Queues,
    Schedules,
)
from rrcli.repository.mongo_redis_api_keys import MongoApiKeys
from rrcli.repository.mongo_redis_calendars import MongoCalendars
from rrcli.repository.mongo_redis_connection import MongoServer
from rrcli.repository.mongo_redis_event_lists import MongoEventLists
from rrcli.repository.mongo_redis_events import MongoEvents
from rrcli.repository.mongo_redis_heartbeats import MongoHeartbeats
from rrcli.repository.mongo_redis_idempotency_keys import MongoIdempotencyKeys
from rrcli.repository.mongo_redis_inspection import MongoRedisInspection
from rrcli.repository.mongo_redis_outcomes import MongoOutcomes
from rrcli.repository.mongo_redis_queues import RedisQueues
from rrcli.repository.mongo_redis_schedules import MongoSchedules
from rrcli.repository.mongo_redis_server import RedisServer
from rrcli.repository.mongo_redis_waiter import RedisWaiter
from rrcli.settings import Settings


class MongoRedisRepository:
    """One open store. Nothing is connected before the first call, and each process after a fork anew."""

    is_remote = True

    def __init__(self, mongo: MongoServer, redis: RedisServer, queues: RedisQueues) -> None:
        self._mongo = mongo
        self._redis = redis
        self._ledger = (
            MongoSchedules(mongo),
            MongoEvents(mongo),
            MongoHeartbeats(mongo),
            MongoIdempotencyKeys(mongo),
            MongoEventLists(mongo),
        )
        self._queues = queues
        self.schedules: Schedules = self._ledger[0]
        self.events: Events = self._ledger[1]
        self.outcomes: Outcomes = MongoOutcomes(mongo)
        self.heartbeats: Heartbeats = self._ledger[2]
        self.api_keys: ApiKeys = MongoApiKeys(mongo)
        self.calendars: Calendars = MongoCalendars(mongo)
        self.event_lists: EventLists = self._ledger[4]
        self.idempotency_keys: IdempotencyKeys = self._ledger[3]
        self.queues: Queues = queues
        self.inspection: Inspection = MongoRedisInspection(
            mongo, redis, [type(each) for each in self._ledger]
        )

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The store under `mongo.uri` and `redis.url`; `ping` tells whether it is there."""
        mongo, redis = MongoServer(settings.mongo), RedisServer(settings.redis)
        queues = RedisQueues(redis, settings.mongo.database, settings.redis.partitions)
        return cls(mongo, redis, queues)

    @property
    def description(self) -> str:
        """`mongo HOSTS/DATABASE, redis HOST:PORT/NUMBER`, without credentials."""
        return f"{self._mongo.name}, {self._redis.name}"

    def init(self) -> None:
        """Make the indexes; Redis needs nothing."""
        for collections in self._ledger:
            collections.init()

    def ping(self, *, queues: bool = True) -> None:
        """Raises StoreUnavailable naming the server that does not answer within about two seconds."""
        self._mongo.ping()
        if queues:
            self._redis.ping()

    def waiter(self, channel: Channel) -> RedisWaiter:
        """A new ear on a channel."""
        return RedisWaiter(self._redis, self._queues.channel(channel))

    def close(self) -> None:
        """Close all connections of this process."""
        self._mongo.close()
        self._redis.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
