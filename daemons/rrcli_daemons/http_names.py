"""What is known of the names of hosts, so that those that do not resolve cannot hold up the others.

libcurl resolves on 20 threads a CurlMulti, and a look-up that hangs keeps its thread even when its call has
timed out: 20 dead names stop every name that is not cached. Each class of names has a CurlMulti of its own.
"""

import re
from enum import IntEnum

_REMEMBERED = 20_000
_LITERAL = re.compile(r"https?://([^/?#]*@)?(\[[^/]*\]|[0-9.]+)(:[0-9]*)?", re.IGNORECASE)


class Standing(IntEnum):
    """How the last look-up of a name went."""

    PROVEN = 0  # or an address, which needs none
    NEW = 1
    FAILING = 2


class Names:
    """The standing of each origin (scheme, host and port), as far as remembered."""

    def __init__(self) -> None:
        self._standing: dict[str, Standing] = {}

    def standing(self, url: str) -> Standing:
        """Where the host of `url` belongs now."""
        origin = _origin(url)
        known = self._standing.get(origin)
        if known is None:
            known = Standing.PROVEN if _LITERAL.fullmatch(origin) else Standing.NEW
            self._remember(origin, known)
        return known

    def resolved(self, url: str) -> None:
        """The host's name gave an address."""
        self._remember(_origin(url), Standing.PROVEN)

    def failed(self, url: str) -> None:
        """The host's name gave no address, or not in time."""
        self._remember(_origin(url), Standing.FAILING)

    def _remember(self, origin: str, standing: Standing) -> None:
        if len(self._standing) >= _REMEMBERED:
            self._standing.clear()
        self._standing[origin] = standing


def _origin(url: str) -> str:
    """Everything before the path; a URL that has none is an origin of its own."""
    end = url.find("/", 8)
    return url if end < 0 else url[:end]
