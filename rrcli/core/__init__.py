"""Pure domain code: no I/O, no clock. Time comes in as an argument."""
