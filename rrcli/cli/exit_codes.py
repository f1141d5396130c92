"""What the command line answers to the shell."""

from enum import IntEnum


class ExitCode(IntEnum):
    """One code for each thing that a script may want to tell apart."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    INVALID_INPUT = 4
    STORE_UNREACHABLE = 5
    CONFLICT = 6
    INTERRUPTED = 130
