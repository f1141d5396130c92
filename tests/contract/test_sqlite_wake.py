"""The sockets behind the embedded store's wake-ups: private, cleaned up, never in the way."""

import select
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rrcli.errors import StoreUnavailable
from rrcli.repository.base import Channel
from rrcli.repository.sqlite import SqliteRepository
from rrcli.repository.sqlite_wake import Bell, SocketWaiter
from tests.contract.samples import entry

FAR = Path("/somewhere" + "x" * 100)
"""Too long a path for a socket: its folder is among the temporary ones."""


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder with a short path, as the address of a socket needs it."""
    with tempfile.TemporaryDirectory(prefix="rr") as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture
def bell(folder: Path) -> Bell:
    return Bell(FAR / "store.db")


def readable(waiter: SocketWaiter) -> bool:
    return bool(select.select([waiter], [], [], 0)[0])


def test_the_folder_is_for_this_user_only_and_goes_with_the_last_ear(bell: Bell, folder: Path) -> None:
    with closing(bell.waiter(Channel.WORKER)):
        with closing(bell.waiter(Channel.WORKER)):
            assert bell.folder.parent == folder
            assert bell.folder.stat().st_mode & 0o777 == 0o700
        assert bell.folder.exists()
    assert not bell.folder.exists()


def test_each_database_has_a_folder_of_its_own(bell: Bell) -> None:
    other = Bell(FAR / "elsewhere" / "store.db")
    with closing(bell.waiter(Channel.WORKER)) as waiter:
        other.notify(Channel.WORKER)
        assert other.folder != bell.folder
        assert not readable(waiter)


def test_channels_do_not_disturb_each_other(bell: Bell) -> None:
    with (
        closing(bell.waiter(Channel.WORKER)) as worker,
        closing(bell.waiter(Channel.DISPATCHER)) as dispatcher,
    ):
        bell.notify(Channel.WORKER)
        assert readable(worker)
        assert not readable(dispatcher)


def test_nobody_needs_to_listen(bell: Bell) -> None:
    bell.notify(Channel.WORKER)

    assert not bell.folder.exists()


def test_the_socket_of_a_killed_process_is_removed(bell: Bell) -> None:
    with closing(bell.waiter(Channel.WORKER)) as waiter:
        stale = bell.folder / "worker-dead"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
            killed.bind(str(stale))
        bell.notify(Channel.WORKER)

        assert not stale.exists()
        assert readable(waiter)


def test_a_socket_that_nobody_reads_does_not_block(bell: Bell) -> None:
    with closing(bell.waiter(Channel.WORKER)) as waiter:
        for _ in range(2_000):
            bell.notify(Channel.WORKER)
        assert readable(waiter)

        waiter.drain()
        assert not readable(waiter)


def test_a_folder_that_others_may_enter_is_refused(bell: Bell) -> None:
    bell.folder.mkdir(mode=0o755)

    with pytest.raises(StoreUnavailable, match="private"):
        bell.waiter(Channel.WORKER)


def test_a_link_in_place_of_the_folder_is_refused(bell: Bell, folder: Path) -> None:
    (folder / "elsewhere").mkdir(mode=0o700)
    bell.folder.symlink_to(folder / "elsewhere")

    with pytest.raises(StoreUnavailable):
        bell.waiter(Channel.WORKER)


def test_a_temporary_folder_with_a_long_path_is_refused_with_a_hint(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = folder / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    bell = Bell(FAR / "store.db")

    with pytest.raises(StoreUnavailable) as caught:
        bell.waiter(Channel.WORKER)

    assert "TMPDIR" in str(caught.value.hint)
    bell.notify(Channel.WORKER)


def test_an_ear_can_be_had_while_another_takes_the_folder_along(
    bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folder = bell._make_folder
    leaving = iter([True, True, False])

    def made_and_gone() -> None:
        make_folder()
        if next(leaving):
            bell.folder.rmdir()

    monkeypatch.setattr(bell, "_make_folder", made_and_gone)
    with closing(bell.waiter(Channel.WORKER)) as waiter:
        bell.notify(Channel.WORKER)
        assert readable(waiter)


def test_a_link_to_the_file_reaches_the_same_ears(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "link").symlink_to(folder / "data")
    here = SqliteRepository.open(folder / "data" / "store.db")
    there = SqliteRepository.open(folder / "link" / "store.db")
    with here, there, closing(here.waiter(Channel.WORKER)) as waiter:
        there.queues.add([entry("a" * 24)])
        there.queues.promote(["a" * 24])

        assert select.select([waiter], [], [], 0)[0]


def test_processes_with_different_temporary_folders_wake_each_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = Bell(folder / "store.db").waiter(Channel.WORKER)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    Bell(folder / "store.db").notify(Channel.WORKER)
    assert readable(ear)
    ear.close()
    assert list(folder.iterdir()) == []
