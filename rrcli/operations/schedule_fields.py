"""What a person sets on a schedule: checked values as fields of the model, with masks and names resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rrcli.core.inputs import MASK
from rrcli.core.models import MisfirePolicy, Overlap, Schedule
from rrcli.errors import FieldError, InvalidInput
from rrcli.log import MARK, is_masked, redact
from rrcli.operations.context import Context


def require_calendars(context: Context, values: Mapping[str, Any]) -> None:
    """A name that stands for no calendar would exclude nothing, silently."""
    names = values.get("exclude_calendars") or ()
    there = context.repository.calendars.versions(names) if names else {}
    absent = [
        FieldError(field=f"exclude_calendars[{index}]", value=name, allowed="must be a calendar that exists")
        for index, name in enumerate(names)
        if name not in there
    ]
    if absent:
        raise InvalidInput(absent, hint="List them: rrcli calendar list")


def field_changes(old: Schedule, values: Mapping[str, Any]) -> dict[str, Any]:
    """Checked values as fields of the model; nested ones merged into the old, masked ones kept."""
    changes = dict(values)
    changes.pop("rrule", None)
    if "exclude_calendars" in values:
        changes["exclude_calendars"] = tuple(dict.fromkeys(values["exclude_calendars"]))
    if "retry" in values:
        changes["retry"] = replace(old.retry, **values["retry"])
    if "misfire" in values:
        policy = MisfirePolicy(values["misfire"].get("policy", old.misfire.policy))
        changes["misfire"] = replace(old.misfire, **(values["misfire"] | {"policy": policy}))
    if "overlap" in values:
        changes["overlap"] = Overlap(values["overlap"])
    if "callback_url" in values:
        changes["callback_url"] = _unmasked_url(old, values["callback_url"])
    if "headers" in values:
        changes["headers"] = _unmasked_headers(old, values["headers"] or {})
    if "secrets" in values:
        changes["secrets"] = _unmasked_secrets(old, values["secrets"])
    return changes


def _unmasked_url(old: Schedule, url: str) -> str:
    """The stored URL when `url` is what is shown of it."""
    if not is_masked(url):
        return url
    if url != redact(old.callback_url):
        allowed = f"must hold its credentials: {MARK} keeps stored ones only while nothing else changes"
        raise InvalidInput([FieldError(field="callback_url", value=url, allowed=allowed)])
    return old.callback_url


def _unmasked_headers(old: Schedule, headers: Mapping[str, str]) -> dict[str, str]:
    stored = {name.lower(): value for name, value in old.headers.items()}
    masked = [name for name, value in headers.items() if value == MASK]
    _require_stored([f"headers.{name}" for name in masked if name.lower() not in stored])
    return {**headers, **{name: stored[name.lower()] for name in masked}}


def _unmasked_secrets(old: Schedule, secrets: Sequence[str]) -> tuple[str, ...]:
    masked = [index for index, secret in enumerate(secrets) if secret == MASK]
    _require_stored([f"secrets[{index}]" for index in masked if index >= len(old.secrets)])
    return tuple(old.secrets[index] if index in masked else secret for index, secret in enumerate(secrets))


def _require_stored(absent: Sequence[str]) -> None:
    """A mask that stands for nothing would be sent, or would sign, as it is."""
    allowed = f"must be a value: {MASK} keeps a stored one, and there is none here"
    if absent:
        raise InvalidInput([FieldError(field=field, value=MASK, allowed=allowed) for field in absent])
