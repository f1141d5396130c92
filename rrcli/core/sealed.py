"""Values that are encrypted at rest: how they are told from others, and where a schedule may have some.

A sealed value begins with a NUL, which no input may hold: nothing that a person wrote can be taken for one.
"""

from collections.abc import Callable
from dataclasses import replace

from rrcli.core.models import Schedule
from rrcli.log import redact

PREFIX = "\0fernet:"


def is_sealed(text: str) -> bool:
    """Whether the value is encrypted."""
    return text.startswith(PREFIX)


def sealed_fields(schedule: Schedule) -> list[str]:
    """Names of the fields that are encrypted still: no key that was given opens them."""
    found = [f"headers.{name}" for name, value in schedule.headers.items() if is_sealed(value)]
    found += [f"secrets[{index}]" for index, each in enumerate(schedule.secrets) if is_sealed(each)]
    if schedule.body is not None and is_sealed(schedule.body):
        found.append("body")
    return [*found, "callback_url"] if is_sealed(schedule.callback_url) else found


def with_secrets(schedule: Schedule, change: Callable[[str], str]) -> Schedule:
    """The schedule with `change` made to every value that may be secret.

    These are header values, signing secrets, the body, and a URL that holds credentials.
    """
    url = schedule.callback_url
    return replace(
        schedule,
        headers={name: change(value) for name, value in schedule.headers.items()},
        secrets=tuple(change(each) for each in schedule.secrets),
        body=None if schedule.body is None else change(schedule.body),
        callback_url=change(url) if is_sealed(url) or redact(url) != url else url,
    )


def cannot_be_opened(schedule: Schedule, fields: list[str]) -> str:
    """The sentence that says so, and what to do."""
    return (
        f"Schedule {schedule.id} ({schedule.name}) has values that cannot be decrypted "
        f"({', '.join(fields)}): no key of security.encryption_key fits. Give the key they were written with"
    )
