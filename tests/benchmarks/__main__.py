"""`python -m tests.benchmarks NAME... [--quick]`: runs benchmarks, each in a process of its own."""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = (  # what `make bench` runs, in this order; others run by name only
    "worker",
    "flow",
    "lateness",
    "tick",
    "prequeue",
    "memory",
    "api",
    "recurrence",
    "startup",
    "sender",
)


def main() -> int:
    """Run each named benchmark, or all; 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {' '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="less work, for a look; figures are not kept")
    chosen, rest = parser.parse_known_args()
    failed = []
    for name in chosen.names or NAMES:
        if not (HERE / f"{name}.py").exists():
            parser.error(f"no benchmark {name!r}; there is {', '.join(NAMES)}")
        print(f"\n== {name}", flush=True)
        command = [sys.executable, "-m", f"tests.benchmarks.{name}", *rest]
        if chosen.quick:
            command.append("--quick")
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
