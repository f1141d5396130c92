"""What a schedule's fields may hold; every refusal is an InvalidInput that lists all errors."""

import base64
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli.core.fields import UNKNOWN_LISTED
from rrcli.core.inputs import (
    BODY_LIMIT,
    HEADERS_LIMIT,
    MASK,
    READ_ONLY,
    REQUIRED,
    SCHEDULE_FIELDS,
    check_schedule,
)
from rrcli.errors import FieldError, InvalidInput

MINIMAL = {"name": "Backup", "rrule": "FREQ=DAILY", "callback_url": "https://example.com/backup"}


def accepted(**changes: object) -> dict[str, Any]:
    return check_schedule(changes, partial=True)


def refused(**changes: object) -> tuple[FieldError, ...]:
    with pytest.raises(InvalidInput) as caught:
        check_schedule(changes, partial=True)
    return caught.value.fields


def secret(size: int) -> str:
    return "whsec_" + base64.b64encode(bytes(size)).decode()


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


# Accepted


def test_the_original_example_is_accepted_as_it_is():
    data = MINIMAL | {
        "method": "POST",
        "headers": {"Authorization": "Bearer abc123", "Content-Type": "application/json"},
        "body": '{"task":"backup"}',
    }
    assert check_schedule(data, partial=False) == data


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("method", "post", "POST"),
        ("method", None, None),
        ("overlap", "SKIP", "skip"),
        ("body", "", ""),
        ("body", None, None),
        ("body", "é" * BODY_LIMIT, "é" * BODY_LIMIT),
        ("headers", None, None),
        ("headers", {}, {}),
        ("headers", {"X-Grüße".replace("ü", "u").replace("ß", "s"): "Grüße\t!"}, {"X-Gruse": "Grüße\t!"}),
        ("timezone", None, None),
        ("timeout_seconds", 5, 5.0),
        ("timeout_seconds", 0.1, 0.1),
        ("max_retries", 0, 0),
        ("max_retries", None, None),
        ("jitter_seconds", 86_400, 86_400.0),
        ("tags", ["a", "b"], ("a", "b")),
        ("tags", [], ()),
        ("retry", {"base_seconds": 2}, {"base_seconds": 2.0}),
        ("retry", {}, {}),
        ("misfire", {"policy": "ALL"}, {"policy": "all"}),
        ("follow_redirects", True, True),
        ("name", "ü", "ü"),
        ("name", "x" * 200, "x" * 200),
        ("secrets", [secret(24), secret(64)], (secret(24), secret(64))),
        ("secrets", [MASK], (MASK,)),
        ("callback_url", "HTTP://[::1]:8080/a?b=c#d", "HTTP://[::1]:8080/a?b=c#d"),
        ("callback_url", "https://user:pass@example.com", "https://user:pass@example.com"),
        (
            "callback_url",
            "http://a/%C3%A9;x=1,(2)*'!$&@:~?a[]=b/?#/?@",
            "http://a/%C3%A9;x=1,(2)*'!$&@:~?a[]=b/?#/?@",
        ),
        ("callback_url", "http://a?b", "http://a?b"),
    ],
)
def test_accepted_values_and_what_they_become(field: str, value: object, expected: object):
    result = accepted(**{field: value})
    assert result == {field: expected}
    assert type(result[field]) is type(expected) or isinstance(expected, str)


def test_a_partial_change_may_be_empty():
    assert check_schedule({}, partial=True) == {}


def test_a_new_schedule_lists_every_missing_field():
    with pytest.raises(InvalidInput) as caught:
        check_schedule({}, partial=False)
    assert [(each.field, each.allowed) for each in caught.value.fields] == [
        (name, "is required") for name in REQUIRED
    ]


# Refused


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com",
        "/foo",
        "foo",
        "",
        "http://",
        "http:///path",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:port/",
        "http://[::1",
        "http://exa mple.com/",
        "http://example.com/\r\nX: y",
        "http://exämple.com/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://example.com/" + "a" * 2048,
        "http://example.com/\x00",
        " http://example.com/",
        "https://<e",
        *(f"http://example.com/{each}" for each in '"<>\\^`{|}'),
        *(f"http://exam{each}ple.com/" for each in '"<>\\^`{|}'),
        "http://example.com/%zz",
        "http://example.com/%4",
        "http://u@v@example.com/",
        "http://[x]/",
        "http://[::1]x/",
        "http://example.com/[1]",
        "http://example.com/#a#b",
        None,
        7,
        ["http://example.com/"],
    ],
)
def test_callback_urls_that_cannot_be_called(url: object):
    (error,) = refused(callback_url=url)
    assert error.field == "callback_url"
    assert error.allowed.startswith("must be an absolute http:// or https:// URL")


@pytest.mark.parametrize("method", ["FOO BAR", "FOO", "", "GET\r\n", "TRACE", "CONNECT", 7, True, ["GET"]])
def test_methods_that_do_not_exist(method: object):
    (error,) = refused(method=method)
    assert error.field == "method"
    assert "one of GET, HEAD, POST" in error.allowed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "one\r\nX-B: two"),
        ("X-A", "one\ntwo"),
        ("X-A", "one\rtwo"),
        ("X-A", "\x00"),
        ("X-A", "\x1b[31m"),
        ("X-A", "\x7f"),
        ("X-A", "\ud800"),
        ("X-A", 7),
        ("X-A", None),
        ("X-A", ["one"]),
        pytest.param("X-A", nested(500), id="deep"),
        ("X A", "one"),
        ("X-A:", "one"),
        ("X-A\r\n", "one"),
        ("", "one"),
        ("X-Ä", "one"),
        ("\ud800", "one"),
        pytest.param("X" * 5000, 7, id="long name"),
        ("Content-Length", "0"),
        ("transfer-encoding", "chunked"),
        ("CONNECTION", "close"),
        ("Upgrade", "h2c"),
    ],
)
def test_headers_that_would_break_the_request(name: str, value: object):
    (error,) = refused(headers={name: value})
    assert error.field.startswith("headers.")
    assert len(error.field) < 100
    error.field.encode()


def test_a_refused_header_value_is_not_echoed():
    with pytest.raises(InvalidInput) as caught:
        accepted(headers={"Authorization": "Bearer hunter2\n"})
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.fields)


def test_a_header_given_twice_in_different_case_is_refused():
    (error,) = refused(headers={"X-Token": "a", "x-token": "b"})
    assert error.field == "headers.x-token"
    assert "given once" in error.allowed


@pytest.mark.parametrize(
    "headers",
    [
        {f"X-{number}": "a" for number in range(51)},
        {"X-A": "a" * HEADERS_LIMIT},
        [["X-A", "a"]],
        "X-A: a",
        7,
    ],
)
def test_too_many_headers_or_none_at_all(headers: object):
    (error,) = refused(headers=headers)
    assert (error.field, error.value) == ("headers", MASK)


def test_a_body_over_the_limit():
    (error,) = refused(body="x" * (BODY_LIMIT + 1))
    assert error.field == "body"
    assert len(error.sentence()) < 200


@pytest.mark.parametrize(
    "name",
    [
        "",
        " a",
        "a ",
        "a\nb",
        "a\rb",
        "a\x00b",
        "a\x1b[2Jb",
        "a\u2028b",
        "a\x85b",
        "x" * 201,
        "\ud800",
        7,
        None,
    ],
)
def test_names_that_would_break_a_table(name: object):
    assert refused(name=name)[0].field == "name"


@pytest.mark.parametrize("tag", ["", "a b", "a,b", "a\x1bb", "a\x00", "x" * 65, 7, None, "\udfff"])
def test_tags_that_are_no_word(tag: object):
    assert refused(tags=["fine", tag])[0].field == "tags[1]"


@pytest.mark.parametrize("tags", ["a,b", {"a": 1}, 7, None, ["a"] * 21])
def test_tags_that_are_no_list(tags: object):
    assert refused(tags=tags)[0].field == "tags"


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        "whsec_",
        "whsec_!!!!",
        secret(23),
        secret(65),
        secret(24).removeprefix("whsec_"),
        secret(24) + "\n",
        "whsec_" + "ü" * 32,
        7,
        None,
    ],
)
def test_secrets_of_another_form_are_refused_and_not_echoed(value: object):
    (error,) = refused(secrets=[value])
    assert (error.field, error.value) == ("secrets[0]", MASK)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("timeout_seconds", [0, 0.09, 3600.1, True, "30", None, math.nan, math.inf, -math.inf, 10**400]),
        ("max_retries", [-1, 101, True, False, 1.0, "3", math.nan, 10**400, -(10**400), [3]]),
        ("jitter_seconds", [-1, 86_401, None, True, math.nan, "1"]),
        ("follow_redirects", [1, 0, "true", None, []]),
        ("overlap", ["sometimes", None, 7]),
        ("retry", [None, [], "fast", 7]),
        ("misfire", [None, [], "all"]),
        ("rrule", [None, "", 7, ["FREQ=DAILY"], "FREQ=DAILY\x00", "\ud800", "x" * 1_000_001]),
        ("timezone", ["", 7, "x" * 65, "Europe/\x00Berlin", "\ud800"]),
        ("body", [7, {"task": "backup"}, "\x00", "\ud800", True]),
    ],
)
def test_wrong_values_are_refused_under_their_field(field: str, values: list[object]):
    for value in values:
        assert [error.field for error in refused(**{field: value})] == [field], value


def test_nested_fields_are_named_with_their_path():
    errors = refused(retry={"base_seconds": "1", "factr": 2}, misfire={"policy": None, "grace_seconds": -1})
    assert [error.field for error in errors] == [
        "retry.factr",
        "retry.base_seconds",
        "misfire.policy",
        "misfire.grace_seconds",
    ]
    assert errors[0].allowed == "is not a field; factor is known"


def test_only_fields_that_may_be_unset_take_null():
    nullable = {field for field in SCHEDULE_FIELDS if not _refuses(field, None)}
    assert nullable == {"timezone", "method", "headers", "body", "max_retries"}


def _refuses(field: str, value: object) -> bool:
    try:
        accepted(**{field: value})
    except InvalidInput:
        return True
    return False


def test_an_unknown_field_is_told_with_the_nearest_known_one():
    errors = refused(calback_url="x", colour="red")
    assert errors[0].allowed == "is not a field; callback_url is known"
    assert errors[1].allowed.startswith("is not a field; known fields are name, rrule, ")


def test_read_only_fields_are_told_as_such():
    errors = refused(**dict.fromkeys(READ_ONLY, "x"))
    assert [(error.field, error.allowed) for error in errors] == [
        (name, "is read-only; leave it out") for name in READ_ONLY
    ]


def test_all_errors_are_listed_at_once():
    errors = refused(
        id="x", callback_url="/foo", method="FOO BAR", colour=1, max_retries=True, tags=[1, "a b"]
    )
    assert {error.field for error in errors} == {
        "id",
        "callback_url",
        "method",
        "colour",
        "max_retries",
        "tags[0]",
        "tags[1]",
    }


# Hostile


def test_a_hundred_thousand_unknown_fields_are_answered_shortly_and_soon():
    hostile = {f"field {number}": number for number in range(100_000)}
    begun = time.perf_counter()
    errors = refused(**hostile)
    assert time.perf_counter() - begun < 2
    assert len(errors) == UNKNOWN_LISTED


@pytest.mark.parametrize(
    "name",
    ["x" * 1_000_000, "\ud800", "\x1b[2J", "a\nb", "", "\u202e"],
    ids=["long", "surrogate", "terminal", "line break", "empty", "right to left"],
)
def test_hostile_field_names_are_told_in_printable_letters(name: str):
    (error,) = refused(**{name: 1})
    assert len(error.field) <= 83
    assert error.field.isprintable()
    error.field.encode()


@pytest.mark.parametrize(
    "value",
    [10**5000, -(10**5000), nested(900), {"a": 10**5000}, math.nan, b"\xff"],
    ids=["huge", "hugely negative", "deep", "huge inside", "nan", "bytes"],
)
@pytest.mark.parametrize("field", [*SCHEDULE_FIELDS, *READ_ONLY, "colour"])
def test_hostile_values_raise_nothing_but_invalid_input(field: str, value: object):
    for given_value in (value, [value], {"a": value}, {"base_seconds": value}):
        for error in refused(**{field: given_value}):
            assert len(error.sentence()) < 500


def test_a_value_that_holds_itself_a_million_times_is_shown_shortly():
    laughs: list = ["lol"]
    for _ in range(20):
        laughs = [laughs] * 20
    (error,) = refused(name=laughs)
    assert len(error.sentence()) < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["x", *SCHEDULE_FIELDS, *READ_ONLY]) | st.text(max_size=8), JSON))
def test_any_json_object_is_accepted_or_refused_as_invalid_input(data: dict[str, Any]):
    try:
        values = check_schedule(data, partial=True)
    except InvalidInput:
        return
    assert values.keys() == data.keys() <= SCHEDULE_FIELDS.keys()


@given(st.dictionaries(st.sampled_from(sorted(SCHEDULE_FIELDS)), JSON))
def test_what_was_accepted_is_accepted_again_and_stays_the_same(data: dict[str, Any]):
    try:
        values = check_schedule(data, partial=True)
    except InvalidInput:
        return
    assert check_schedule(values, partial=True) == values
