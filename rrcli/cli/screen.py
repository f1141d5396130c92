"""The whole terminal for one display: alternate screen, single keys, and everything put back at the end."""

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import get_terminal_size

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_LOOK_SECONDS = 0.2
"""How soon a new size of the window is noticed."""


class Screen:
    """What `full_screen` gives: draw a page, wait for a key."""

    def __init__(self) -> None:
        self._size = get_terminal_size()

    @property
    def lines(self) -> int:
        """Height of the window now."""
        return get_terminal_size().lines

    def draw(self, page: str) -> None:
        """Show the page, cut at the bottom of the window; what stood there is written over, not cleared."""
        shown = page.split("\n")[: self.lines]
        text = "\r\n".join(f"{line}{_REST_OF_LINE}" for line in shown)
        sys.stdout.write(f"{_HOME}{text}{_REST_OF_SCREEN}")
        sys.stdout.flush()

    def key(self, seconds: float) -> str | None:
        """The next key; None after so many seconds, or when the window has got another size."""
        while seconds > 0:
            ready, _, _ = select.select([sys.stdin], [], [], min(seconds, _LOOK_SECONDS))
            if ready:
                return os.read(sys.stdin.fileno(), 16).decode(errors="replace") or "q"
            if (size := get_terminal_size()) != self._size:
                self._size = size
                return None
            seconds -= _LOOK_SECONDS
        return None


@contextmanager
def full_screen() -> Iterator[Screen]:
    """Take the terminal; however the block ends, it is as it was before."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin, termios.TCSADRAIN)
        sys.stdout.write(_ENTER)
        yield Screen()
    finally:
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
