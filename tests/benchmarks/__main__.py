"""`python -m tests.benchmarks NAME... [--quick]`: runs benchmarks, each in a process of its own."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
NAMES = (  # what `make bench` runs, in this order, with their options
    "worker",
    "worker --embedded",
    "flow",
    "lateness",
    "tick",
    "prequeue",
    "memory",
    "api",
    "recurrence",
    "startup",
    "sender",
    "capacity",
)
WATCHING = ("flow", "lateness", "memory")
"""Those that watch for a fixed time: too long for the quick run of all, which CI waits for.

That one runs the `PROFILES` instead, which look into the code and break with it.
"""

PROFILES = ("worker --profile", "prequeuer-profile")

BY_NAME = (  # longer ones, and those that need more than a clean machine has
    "growth",
    "two_workers",
    "two_machines",
    "cluster",
    "peers",
    *PROFILES,
)


def main() -> int:
    """Run each named benchmark, or all; 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {' '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="less work, for a look; figures are not kept")
    chosen, rest = parser.parse_known_args()
    failed = []
    short = [words for words in (*NAMES, *PROFILES) if words not in WATCHING]
    for words in chosen.names or (short if chosen.quick else NAMES):
        name, *options = words.split()
        module = module_of(name)
        if module is None:
            if chosen.names:
                parser.error(f"no benchmark {name!r}; there is {', '.join((*NAMES, *BY_NAME))}")
            print(f"\n== {name}: there is no such benchmark", flush=True)
            continue
        print(f"\n== {words}", flush=True)
        command = [sys.executable, "-m", f"tests.benchmarks.{module}", *options, *rest]
        if chosen.quick:
            command.append("--quick")
        began = time.perf_counter()
        if subprocess.run(command, check=False).returncode:
            failed.append(words)
        print(f"{words}: took {time.perf_counter() - began:.0f} s", flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def module_of(name: str) -> str | None:
    """The module or package behind a benchmark's name, which may have dashes; None when there is none."""
    for module in (name, name.replace("-", "_")):
        if (HERE / f"{module}.py").exists() or (HERE / module / "__main__.py").exists():
            return module
    return None


if __name__ == "__main__":
    sys.exit(main())
