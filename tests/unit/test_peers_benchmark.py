"""The parts of the comparison with peers that no peer is needed for."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.benchmarks.peers import workloads
from tests.benchmarks.peers.arrivals import Arrivals
from tests.benchmarks.peers.catalogue import OURS, PEERS, Peer
from tests.benchmarks.peers.killing import Killed
from tests.benchmarks.peers.measures import Drained, Late, Sizes
from tests.benchmarks.peers.report import Found, fill
from tests.benchmarks.results import Results


def test_arrivals_are_read_as_the_log_grows_a_half_written_line_later(tmp_path: Path) -> None:
    log = tmp_path / "log"
    arrivals = Arrivals(log)
    assert arrivals.of("a") == ()
    log.write_text("1000.250 0.050 a 1 1000\n1001.000 0.000 b 2 -\n1002.0", encoding="utf-8")
    assert [each.id for each in arrivals.of("a")] == ["1"]
    assert arrivals.of("a")[0].late_ms == pytest.approx(200)
    with log.open("a", encoding="utf-8") as file:
        file.write("00 0.000 a 3 1002\n")
    assert [each.id for each in arrivals.of("a")] == ["1", "3"]
    assert len(arrivals.of("b")) == 1


def test_a_hundred_schedules_are_due_each_minute_and_no_other_within_hours(tmp_path: Path) -> None:
    path = workloads.hold(tmp_path / "hold", "http://127.0.0.1/hook", "run", 500)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert sum(line["minute"] is None for line in lines) == workloads.HOT
    daily = [(line["hour"], line["minute"]) for line in lines if line["minute"] is not None]
    assert all(0 <= hour < 24 and 0 <= minute < 60 for hour, minute in daily)
    assert len({line["url"] for line in lines}) == len(lines)


def test_calls_stand_at_whole_seconds(tmp_path: Path) -> None:
    path = workloads.at(tmp_path / "at", "http://h/", "run", first=1000, seconds=3, per_second=2)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["at"] for line in lines] == [1000, 1000, 1001, 1001, 1002, 1002]
    assert all(line["url"].endswith(f"&at={line['at']}") for line in lines)


def test_what_the_store_still_holds_is_not_lost() -> None:
    assert Killed(missing=10, held=4, doubled=0, last_seconds=1.0).lost == 6
    assert Killed(missing=2, held=9, doubled=0, last_seconds=1.0).lost == 0


def test_where_a_peer_is_better_comes_first_and_says_by_how_much() -> None:
    results = Results(name="peers")
    with redirect_stdout(io.StringIO()):
        fill(results, [_found(PEERS[0], 100.0, 5.0), _found(PEERS[2], 200.0, 9.0)], Sizes())
    better = results.tables[0]
    assert better.title == "Where a peer is better"
    assert [list(row) for row in better.rows] == [["drain events/s", 100.0, f"{PEERS[2].name} 200"]]


def test_what_ours_has_no_figure_of_is_told_too() -> None:
    results = Results(name="peers")
    ours = _found(PEERS[0], 100.0, 5.0)
    ours.late = "> 90 s"
    with redirect_stdout(io.StringIO()):
        fill(results, [ours, _found(PEERS[2], 50.0, 9.0)], Sizes())
    assert [row[0] for row in results.tables[0].rows] == ["late p50 ms", "late p99 ms"]


def test_fewer_calls_made_twice_are_better_but_not_silently_those_never_made() -> None:
    results = Results(name="peers")
    ours, theirs = _found(PEERS[0], 100.0, 5.0), _found(PEERS[2], 50.0, 9.0)
    ours.killed = Killed(missing=0, held=0, doubled=200, last_seconds=1.0)
    theirs.killed = Killed(missing=2, held=2, doubled=0, last_seconds=1.0)
    with redirect_stdout(io.StringIO()):
        fill(results, [ours, theirs], Sizes())
    assert [list(row) for row in results.tables[0].rows] == [
        ["made twice", 200, f"{PEERS[2].name} 0 (and 2 not made)"]
    ]


def test_a_peer_without_a_figure_says_why() -> None:
    results = Results(name="peers")
    with redirect_stdout(io.StringIO()):
        fill(results, [_found(PEERS[0], 100.0, 5.0), Found(peer=PEERS[-1], version="")], Sizes())
    assert set(results.tables[1].rows[1][1:-1]) == {"not run"}


def test_each_peer_has_a_name_of_its_own_for_files_and_urls() -> None:
    assert len({peer.slug for peer in PEERS}) == len(PEERS)
    assert PEERS[0].name == OURS


def _found(peer: Peer, per_second: float, p50_ms: float) -> Found:
    return Found(
        peer=peer,
        version="1",
        drained=Drained(per_second=per_second, cpu_ms=1.0),
        late=Late(p50_ms=p50_ms, p99_ms=50.0),
    )
