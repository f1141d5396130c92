"""Signs of life (base.Heartbeats)."""

from collections.abc import Callable
from dataclasses import replace

from rrcli.repository.base import Heartbeat, Repository
from tests.contract.samples import NOON, after


def beat(instance: str = "i1", seconds: float = 0, daemon: str = "worker") -> Heartbeat:
    return Heartbeat(
        daemon=daemon,
        instance=instance,
        host="höst",
        pid=4_194_304,
        started_at=NOON,
        seen_at=after(seconds),
        detail={"completed": 12.0, "lateness_p99_ms": 1.5},
    )


def test_the_newest_sign_of_life_is_kept(
    repository: Repository, open_again: Callable[[], Repository]
) -> None:
    repository.heartbeats.beat(beat(seconds=1))
    newest = replace(beat(seconds=2.345), detail={})
    repository.heartbeats.beat(newest)

    assert open_again().heartbeats.list(NOON) == [newest]


def test_list_has_what_was_seen_since_by_daemon_and_instance(repository: Repository) -> None:
    beats = [beat("b", 5), beat("a", 6), beat("c", 7, daemon="dispatcher"), beat("old", 4.999)]
    for each in beats:
        repository.heartbeats.beat(each)

    assert repository.heartbeats.list(after(5)) == [beats[2], beats[1], beats[0]]
    assert repository.heartbeats.list(after(8)) == []


def test_an_instance_that_stopped_is_not_listed(repository: Repository) -> None:
    repository.heartbeats.beat(beat("a"))
    repository.heartbeats.beat(beat("b"))

    repository.heartbeats.stop("a")
    repository.heartbeats.stop("unknown")

    assert repository.heartbeats.list(NOON) == [beat("b")]


def test_an_instance_that_starts_again_is_listed_again(repository: Repository) -> None:
    repository.heartbeats.beat(beat())
    repository.heartbeats.stop("i1")
    repository.heartbeats.beat(beat(seconds=1))

    assert repository.heartbeats.list(NOON) == [beat(seconds=1)]
