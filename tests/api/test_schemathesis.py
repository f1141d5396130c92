"""The service against its own specification: Schemathesis tries what the specification allows and forbids."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import falcon
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from rrcli.clock import SystemClock
from rrcli.core.inputs import MASK
from rrcli.operations import api_keys, calendars
from rrcli.operations.context import Context
from rrcli.repository.sqlite import SqliteRepository
from rrcli.settings import Settings
from rrcli_api.app import create_app
from rrcli_api.docs import specification_path

RULES = [
    "FREQ=DAILY;INTERVAL=1",
    "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "DTSTART:20250101T233000\nRRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2",
    "FREQ=HOURLY;INTERVAL=3;COUNT=5",
]

STORED_CALENDAR = "x-of-schemathesis"
CALENDARS = [
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20301225\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
]

# What a pattern cannot say, so that what is generated as right is right. One zone, the one of the examples:
# a rule that names another is refused.
schemathesis.openapi.format("rfc5545", st.sampled_from(RULES))
schemathesis.openapi.format("iana-time-zone", st.just("Europe/Berlin"))
schemathesis.openapi.format("stored-calendar", st.just(STORED_CALENDAR))
schemathesis.openapi.format("icalendar", st.sampled_from(CALENDARS))
schemathesis.openapi.format(
    "http-url", st.from_regex(r"\Ahttps?://[a-z]{1,9}(:8080)?(/[a-z!$&-;=@~?]{0,20})?\Z")
)
schemathesis.openapi.format("header-name", st.from_regex(r"\AX-[a-z]{1,9}\Z"))
schemathesis.openapi.format(
    "date-time",
    st.from_regex(r"\A20[2-4][0-9]-0[1-9]-[12][0-9]T1[0-9]:[0-5][0-9]:[0-5][0-9](Z|[+-]0[0-9]:00)\Z"),
)


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Without masks among the secrets: what they stand for depends on what is stored."""
    if isinstance(body, dict) and isinstance(body.get("secrets"), list):
        return body | {"secrets": [secret for secret in body["secrets"] if secret != MASK]}
    return body


_KEYS = count()
HEADERS = {
    "Idempotency-Key": re.compile(r"[\x21-\x7e]{1,255}"),
    "If-Match": re.compile(r'\*|"[0-9]+"(, "[0-9]+")*'),
}
_FOLDER = TemporaryDirectory(prefix="rrcli-schemathesis-")


@cache
def _app() -> tuple[falcon.App[Any, Any], str, Context]:
    """The service, an admin's key and its store; opened by the first request: collecting opens nothing."""
    repository = SqliteRepository.open(Path(_FOLDER.name, "store.db"))
    context = Context(repository=repository, clock=SystemClock(), settings=Settings())
    _, key = api_keys.create(context, name="Schemathesis", scope="admin")
    calendars.put(context, STORED_CALENDAR, CALENDARS[0])
    return create_app(context), key, context


def _answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    app, key, context = _app()
    environ = environ | {"HTTP_AUTHORIZATION": f"Bearer {key}"}
    # Without a socket nobody unpacks what would come packed.
    environ.pop("HTTP_ACCEPT_ENCODING", None)
    # Every right key is new: another request under a used one is refused, as it should be.
    if HEADERS["Idempotency-Key"].fullmatch(environ.get("HTTP_IDEMPOTENCY_KEY", "")):
        environ["HTTP_IDEMPOTENCY_KEY"] = f"key-{next(_KEYS)}"
    # A list has pages or parts, which no schema can say.
    query = environ.get("QUERY_STRING", "").split("&")
    if any(each.startswith(("after=", "status=", "from=", "to=")) for each in query):
        environ["QUERY_STRING"] = "&".join(
            each for each in query if not re.fullmatch("page=[1-9][0-9]*", each)
        )
    # A walk may have deleted it: who asks for it shall see that. To the others it is there, or what the
    # specification calls right would be wrong.
    stored = context.repository.calendars
    lent = not environ["PATH_INFO"].startswith("/api/calendars") and not stored.get([STORED_CALENDAR])
    if lent:
        calendars.put(context, STORED_CALENDAR, CALENDARS[0])
    answer: Iterable[bytes] = app(environ, start_response)
    if lent:
        stored.remove(STORED_CALENDAR)
    return answer


CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 5545,
        "generation": {"deterministic": True, "max-examples": 20},
        # Else values come from literals in this product's source, which changes with every commit.
        "analysis": {"constants": {"enabled": False}},
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "404", "409", "412"]},
            # 412: of a request that is wrong twice, what it was refused for first is told; `a_412_is_true`.
            "negative_data_rejection": {
                "expected-statuses": ["400", "404", "405", "412", "413", "415", "422"]
            },
        },
    }
)


@schemathesis.check
def a_412_is_true(context: Any, response: Any, case: Any) -> None:
    """Whatever else is wrong: the request must have an If-Match, and it must not name the stored revision."""
    if response.status_code != 412:
        return
    wanted = response.request.headers.get("If-Match")
    assert wanted is not None, "412 without an If-Match"
    assert wanted.strip() != "*", "any revision was wanted"
    (stored,) = response.headers["etag"]
    assert stored not in re.findall(r'"[^"]*"', wanted), f"If-Match {wanted} names the stored {stored}"


schema = schemathesis.openapi.from_path(specification_path(), config=CONFIG)
schema.app = _answer


SETTINGS = settings(
    max_examples=20,
    stateful_step_count=8,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schema.parametrize()
@SETTINGS
def test_the_service_does_what_its_specification_says(case: Any) -> None:
    case.call_and_validate(excluded_checks=[positive_data_acceptance] if _mislabelled(case) else [])


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    """That a range ends after it begins no schema can say."""
    return _is_range(query)


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """As of the query."""
    return _is_range(body)


def _is_range(values: Any) -> bool:
    if not isinstance(values, Mapping) or not {"from", "to"} <= values.keys():
        return True
    try:
        return datetime.fromisoformat(values["from"]) < datetime.fromisoformat(values["to"])
    except (TypeError, ValueError):
        return True


def _mislabelled(case: Any) -> bool:
    """Schemathesis calls a case right in which it has put a header that is wrong (its coverage phase)."""
    given = case.headers or {}
    if any(name in given and not form.fullmatch(str(given[name])) for name, form in HEADERS.items()):
        return True
    components = case.meta.components.values()
    return case.meta.generation.mode.is_positive and any(part.mode.is_negative for part in components)


# Walks along the links of the specification: create, read, change, trigger, cancel, delete the same schedule.
TestWalks = schema.as_state_machine().TestCase
TestWalks.settings = settings(SETTINGS, max_examples=10)
