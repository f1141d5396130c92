"""The number of partitions that is in force: noted in Redis, the same for all processes.

Every script refuses to work for a process that knows another number (`lua/fence.lua`), so no id can stand in
two places. The number changes when nobody works under the old one: then the queues are emptied, and the
reconciler fills them again from the ledger.
"""

import logging

from rrcli.errors import StoreUnavailable
from rrcli.repository.mongo_redis_errors import SAME_NUMBER
from rrcli.repository.mongo_redis_nodes import Call
from rrcli.repository.mongo_redis_partitions import Partition, Partitions
from rrcli.repository.mongo_redis_server import RedisServer, Script

log = logging.getLogger(__name__)


class Layout:
    """What one process knows of the split, and how it changes it."""

    def __init__(self, redis: RedisServer, partitions: Partitions) -> None:
        self._redis = redis
        self._partitions = partitions
        self._script = Script("split")
        self._sure = False

    def check(self) -> None:
        """Raises StoreUnavailable when the queues are split otherwise. Asks once, and after every `doubt`."""
        if self._sure:
            return
        for actual in self._noted():
            if actual not in (None, self._partitions.number):
                raise StoreUnavailable(
                    f"The queues are split into {actual} partitions, and redis.partitions is "
                    f"{self._partitions.number} here.",
                    hint=SAME_NUMBER,
                )
        self._sure = True

    def doubt(self) -> None:
        """A call failed: perhaps the split is another one now."""
        self._sure = False

    def establish(self) -> None:
        """Split the queues as the settings say, when they are not; what stood in them is gone then.

        Partition 0 goes last: it is in every split, and a change that was cut off is begun again. Raises
        StoreUnavailable while a worker of the old split has a valid lease.
        """
        if self._sure:
            return
        noted, ours = self._noted(), self._partitions.number
        if all(actual in (None, ours) for actual in noted):
            return
        before = noted[0] or ours
        for part in reversed(self._partitions.first(max(ours, before))):
            workers = self._redis.call([self._change(part)])[0]
            if workers:
                raise StoreUnavailable(
                    f"The queues are to be split into {ours} partitions instead of {before}, and "
                    f"{workers} workers of the old split are not stopped yet.",
                    hint="Stop all workers; a dead one counts until its lease has run out.",
                )
        log.warning(
            "The queues are split into %d partitions now, %d before",
            ours,
            before,
            extra={"action": "queues_split"},
        )

    def _noted(self) -> list[int | None]:
        """The number as each of our partitions has it; None where nothing was ever written."""
        found = self._redis.call([Call(each.layout, ("GET", each.layout)) for each in self._partitions.all])
        return [None if number is None else int(number) for number in found]

    def _change(self, part: Partition) -> Call:
        keys = [part.ready, part.worker, part.flight, part.leases, part.incarnation, part.layout]
        return self._script.call(keys, [self._partitions.number])
