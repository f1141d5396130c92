"""`python -m rrcli_daemons NAME`: one daemon, with settings from file and environment."""

import sys

from rrcli.errors import SchedulerError
from rrcli.settings import load
from rrcli_daemons.entrypoints import NAMES, run


def main(arguments: list[str]) -> int:
    """The process's exit code: 0 after an orderly stop, 2 for a wrong name, 1 for a failure."""
    if len(arguments) != 1 or arguments[0] not in NAMES:
        print(f"usage: python -m rrcli_daemons {'|'.join(NAMES)}", file=sys.stderr)
        return 2
    try:
        run(arguments[0], load())
    except SchedulerError as error:
        print(f"{arguments[0]}: {error.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
