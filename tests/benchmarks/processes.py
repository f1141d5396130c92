"""What the processes cost that a benchmark has started: CPU seconds and resident memory, by name."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

_PROGRAMS = {"mongod": "mongod", "valkey-server": "redis", "redis-server": "redis", "nginx": "nginx"}
MB = 1e6


def started() -> dict[str, psutil.Process]:
    """All processes below this one: servers by their program, daemons of the product by their name."""
    found: dict[str, psutil.Process] = {}
    for process in psutil.Process().children(recursive=True):
        try:
            name = _PROGRAMS.get(process.name()) or process.cmdline()[-1]
        except (psutil.NoSuchProcess, IndexError):
            continue  # it has just ended
        number = sum(each.partition(" ")[0] == name for each in found)
        found[f"{name} {number + 1}" if number else name] = process
    return found


def rss_mb(process: psutil.Process) -> float:
    """Resident memory in MB (10^6 bytes)."""
    return float(process.memory_info().rss / MB)


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds that each process has used, and when that was."""

    seconds: Mapping[str, float]
    at: float

    @classmethod
    def now(cls) -> "Cpu":
        """Of everything that runs now."""
        spent = {name: process.cpu_times() for name, process in started().items()}
        return cls({name: times.user + times.system for name, times in spent.items()}, time.perf_counter())

    def per(self, work: int, before: "Cpu") -> dict[str, float]:
        """CPU µs per unit of work since `before`; the two halves of nginx, and the like, in one."""
        spent: dict[str, float] = {}
        for name, seconds in self.seconds.items():
            program = name if name.startswith("worker") else name.partition(" ")[0]
            used = (seconds - before.seconds.get(name, 0.0)) / max(work, 1) * 1e6
            spent[program] = spent.get(program, 0.0) + used
        return spent
