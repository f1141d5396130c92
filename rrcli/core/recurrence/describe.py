from rrcli.core.recurrence.components import Components


def describe(c: Components) -> str:
    return str(c)
