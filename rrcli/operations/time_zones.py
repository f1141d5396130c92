"""The time-zone data that is in use: its release, and whether the machine's and the package's agree."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

_AHEAD = timedelta(days=730)
_STEP = timedelta(days=5)
"""Rules that hold for a shorter time than this are a month of Ramadan at least."""


def release() -> str:
    """The IANA release, such as `2026a`: of the machine's data, which Python prefers, else of the package."""
    folder = _system() or resources.files("tzdata.zoneinfo")
    for name, form in (("tzdata.zi", r"# version (\S+)"), ("+VERSION", r"(\S+)")):
        if (file := folder.joinpath(name)).is_file():
            with file.open("r", encoding="utf-8", errors="replace") as opened:
                if found := re.match(form, opened.readline()):
                    return found[1]
    return "unknown"


def is_old(named: str, now: datetime) -> bool:
    """Whether the release is of the year before last, or older; several come out every year."""
    found = re.match(r"(\d{4})", named)
    return found is not None and int(found[1]) < now.year - 1


def differing(now: datetime) -> list[str]:
    """Zones for which the machine's data and the package's differ within the next two years."""
    folder = _system()
    if folder is None:
        return []
    moments = [now + step * _STEP for step in range(_AHEAD // _STEP)]
    return [name for name in _zones() if _differs(folder, name, moments)]


def _system() -> Path | None:
    """The folder of the machine's own data."""
    return next((Path(each) for each in TZPATH if Path(each, "UTC").is_file()), None)


def _zones() -> Iterator[str]:
    yield from (resources.files("tzdata") / "zones").read_text(encoding="ascii").split()


def _differs(folder: Path, name: str, moments: list[datetime]) -> bool:
    """A zone that the machine lacks is taken from the package; it does not differ."""
    if not (folder / name).is_file():
        return False
    package = resources.files("tzdata.zoneinfo").joinpath(name)
    with (folder / name).open("rb") as ours, package.open("rb") as theirs:
        one, other = ZoneInfo.from_file(ours, name), ZoneInfo.from_file(theirs, name)
    return any(each.astimezone(one).utcoffset() != each.astimezone(other).utcoffset() for each in moments)
