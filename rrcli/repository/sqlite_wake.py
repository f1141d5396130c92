"""Wake-ups between the processes of one machine: datagram sockets in a private folder, no polling."""

import os
import secrets
import socket
import stat
import tempfile
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from rrcli.errors import StoreUnavailable
from rrcli.repository.base import Channel

_ATTEMPTS = 5
_ADDRESS_BYTES = 107
_NAME_BYTES = len(f"/{Channel.DISPATCHER}-12345678")


class SocketWaiter:
    """A bound socket, readable when somebody notified its channel."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind(str(path))
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Readable when woken, for select."""
        return self._socket.fileno()

    def drain(self) -> None:
        """Forget the wake-ups that have come so far."""
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(16)

    def close(self) -> None:
        """Stop listening; safe to repeat."""
        self._socket.close()
        self._path.unlink(missing_ok=True)
        # The last one out takes the folder along: it fails while it is not empty, or gone.
        with suppress(OSError):
            self._path.parent.rmdir()


class Bell:
    """The channels of one database, in a folder beside it, where every process of it finds them.

    The address of a Unix socket has at most 107 bytes: for a longer path the folder is among the temporary
    ones, under a name made from the path. The name also holds the user, because only one may own it.
    """

    def __init__(self, database: Path) -> None:
        self.folder = database.parent / f".rrcli-wake-{os.geteuid()}"
        if len(os.fsencode(self.folder)) + _NAME_BYTES <= _ADDRESS_BYTES:
            return
        identity = f"{os.geteuid()}:{database}".encode()
        self.folder = Path(tempfile.gettempdir(), f"rrcli-{blake2b(identity, digest_size=8).hexdigest()}")

    def waiter(self, channel: Channel) -> SocketWaiter:
        """A new ear on a channel. Raises StoreUnavailable when there is no safe place for its socket."""
        try:
            return self._bound(channel)
        except OSError as error:
            raise StoreUnavailable(
                f"Wake-ups cannot be received in {self.folder}: {error.strerror or error}.",
                hint="Name a folder that this user can write to, with a short path, in TMPDIR.",
            ) from error

    def _bound(self, channel: Channel) -> SocketWaiter:
        path = self.folder / f"{channel}-{secrets.token_hex(4)}"
        for _ in range(_ATTEMPTS - 1):
            self._make_folder()
            # Somebody who has just left may have taken the folder along.
            with suppress(FileNotFoundError):
                return SocketWaiter(path)
        self._make_folder()
        return SocketWaiter(path)

    def notify(self, channel: Channel) -> None:
        """Wake everyone who waits on `channel`; never blocks or raises: a lost wake-up only costs time."""
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            for name in os.listdir(self.folder):
                if name.startswith(channel):
                    _wake(sender, self.folder / name)

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        status = self.folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and status.st_mode & 0o077 == 0
        if not private or status.st_uid != os.geteuid():
            raise PermissionError(f"{self.folder} is not a private folder of this user")


def _wake(sender: socket.socket, path: Path) -> None:
    try:
        sender.sendto(b"!", str(path))
    except ConnectionRefusedError:
        # Its process has died without closing: nobody will ever read there.
        path.unlink(missing_ok=True)
    except OSError:
        # A full socket has been woken already; one that has just gone needs nothing.
        pass
