"""How much of one claim each partition gives: none starves, and none is asked for more than its part."""

from collections.abc import Mapping, Sequence

from rrcli.repository.mongo_redis_partitions import Partition


def even(parts: Sequence[Partition], limit: int, turn: int) -> dict[Partition, int]:
    """Equal parts of `limit`; `turn` says who gets one more than others."""
    each, rest = divmod(limit, len(parts))
    return {part: each + ((number + turn) % len(parts) < rest) for number, part in enumerate(parts)}


def earliest(heads: Mapping[Partition, Sequence[str]], limit: int) -> dict[Partition, int]:
    """How many of the `limit` earliest each partition has, by the first `id, due, ...` of each."""
    first = set(in_order(list(heads.values()))[:limit])
    return {part: len(first.intersection(head[::2])) for part, head in heads.items()}


def in_order(found: Sequence[Sequence[str]]) -> list[str]:
    """The ids of `id, due, id, due, ...` of all partitions, earliest due first."""
    pairs = [(int(each[n + 1]), each[n]) for each in found for n in range(0, len(each), 2)]
    return [event_id for _, event_id in sorted(pairs)]
