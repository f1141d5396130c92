"""python -m rrcli_api: the service under gunicorn, with settings from file and environment."""

import sys

from rrcli import log, settings
from rrcli.errors import InvalidSettings, SchedulerError
from rrcli.supervised import stop_with_supervisor
from rrcli_api.server import serve

_FAILED = 1
_INVALID_INPUT = 4


def main() -> int:
    """Serve until told to stop; the exit code."""
    try:
        loaded = settings.load()
        log.setup(loaded.settings.log.level, loaded.settings.log.format)
        stop_with_supervisor()
        serve(loaded)
    except SchedulerError as error:
        print("Error:", error.message, file=sys.stderr)
        if error.hint:
            print("Hint:", error.hint, file=sys.stderr)
        return _INVALID_INPUT if isinstance(error, InvalidSettings) else _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
