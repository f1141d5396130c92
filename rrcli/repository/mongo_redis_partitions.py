"""The partitions of the queues: their keys, which id stands where, and the change of their number."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar
from zlib import crc32

T = TypeVar("T")


@dataclass(frozen=True)
class Partition:
    """The names of the keys of one partition, all with one hash tag, so that scripts may span them.

    The tag holds the database's name: two deployments in one Redis do not meet.
    """

    database: str
    number: int

    @cached_property
    def ready(self) -> str:
        return self._key("ready_queue")

    @cached_property
    def worker(self) -> str:
        return self._key("worker_queue")

    @cached_property
    def flight(self) -> str:
        return self._key("in_flight")

    @cached_property
    def leases(self) -> str:
        return self._key("leases")

    @cached_property
    def incarnation(self) -> str:
        return self._key("incarnation")

    @cached_property
    def layout(self) -> str:
        return self._key("partitions")

    def _key(self, name: str) -> str:
        return f"{name}:{{{self.database}:{self.number}}}"


class Partitions:
    """All partitions of the queues of one database."""

    def __init__(self, database: str, number: int) -> None:
        self._database = database
        self.number = number
        self.all = self.first(number)

    def first(self, number: int) -> tuple[Partition, ...]:
        """The partitions of a split into `number`."""
        return tuple(Partition(self._database, each) for each in range(number))

    def of(self, event_id: str) -> Partition:
        """Where an id stands. The second half of an event's id is a hash already; others are evened out."""
        return self.all[crc32(event_id.encode("utf-8", "surrogatepass")) % self.number]

    def split(self, items: Iterable[T], event_id: Callable[[T], str]) -> dict[Partition, list[T]]:
        """The items by partition; order is kept within each."""
        if self.number == 1:
            whole = list(items)
            return {self.all[0]: whole} if whole else {}
        parts: dict[Partition, list[T]] = defaultdict(list)
        for item in items:
            parts[self.of(event_id(item))].append(item)
        return parts
