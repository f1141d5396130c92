"""The files that say what a peer has to do: one JSON object a line, a URL with its time."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from rrcli.clock import SystemClock

HOT = 100
FAR_MINUTES = 120
DAY_MINUTES = 1440


def due(path: Path, url: str, run: str, number: int) -> Path:
    """Calls that are due now."""
    now = int(SystemClock().now().timestamp())
    return _write(path, ({"id": n, "url": f"{url}?run={run}&id={n}", "at": now} for n in range(number)))


def at(path: Path, url: str, run: str, *, first: int, seconds: int, per_second: int) -> Path:
    """Calls at whole seconds (epoch) from `first` on, so many at each."""
    times = (first + second for second in range(seconds) for _ in range(per_second))
    return _write(
        path,
        ({"id": n, "url": f"{url}?run={run}&id={n}&at={time}", "at": time} for n, time in enumerate(times)),
    )


def hold(path: Path, url: str, run: str, number: int) -> Path:
    """Schedules (UTC): a hundred for every minute, the others daily and hours away."""
    return _write(path, _schedules(url, run, number))


def _schedules(url: str, run: str, number: int) -> Iterator[dict[str, object]]:
    now = SystemClock().now()
    minute_of_day = now.hour * 60 + now.minute
    for n in range(number):
        line: dict[str, object] = {"id": n, "url": f"{url}?run={run}&id={n}", "hour": None, "minute": None}
        if n >= HOT:
            away = FAR_MINUTES + n % (DAY_MINUTES - 2 * FAR_MINUTES)
            line["hour"], line["minute"] = divmod((minute_of_day + away) % DAY_MINUTES, 60)
        yield line


def _write(path: Path, lines: Iterable[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
