"""Errors: one root, a stable code, sentences of bounded length."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrcli import errors
from rrcli.errors import FieldError, InvalidInput, InvalidRule, SchedulerError, StoreUnavailable

ALL = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, Exception) and each.__module__ == errors.__name__
]


def test_every_error_has_the_one_root_and_a_known_code():
    codes = {
        "internal_error",
        "validation_failed",
        "invalid_request",
        "not_found",
        "conflict",
        "database_error",
        "invalid_settings",
        "store_needed",
    }
    for each in ALL:
        assert issubclass(each, SchedulerError)
        assert each.code in codes


def test_only_a_store_that_is_away_is_worth_trying_again():
    assert [each for each in ALL if each.retryable] == [StoreUnavailable]


def test_message_and_hint_are_kept():
    error = SchedulerError("It failed.", hint="Try again.")
    assert (str(error), error.message, error.hint) == ("It failed.", "It failed.", "Try again.")


def test_an_invalid_rule_is_a_value_error_that_names_its_part():
    error = InvalidRule("is unknown", part="FREQ", value="FOO", position=5)
    assert isinstance(error, ValueError)
    assert (error.part, error.value, error.position) == ("FREQ", "FOO", 5)


def test_invalid_input_says_all_of_its_fields():
    fields = [
        FieldError(field="name", value="", allowed="is required"),
        FieldError(field="method", value="FOO", allowed="must be one of GET, POST"),
    ]
    error = InvalidInput(fields)
    assert str(error) == "name: is required (got ''); method: must be one of GET, POST (got 'FOO')"
    assert error.fields == tuple(fields)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 78, repr("x" * 78)),
        ("x" * 79, "'" + "x" * 76 + "..."),
        (7, "7"),
        (None, "null"),
        ([1, "a"], "[1, 'a']"),
        ({"a": 1}, "{'a': 1}"),
        pytest.param(10**5000, "int too large to show", id="huge"),
    ],
)
def test_a_refused_value_is_shown_shortened(value: object, shown: str):
    assert FieldError(field="a", value=value, allowed="b").sentence() == f"a: b (got {shown})"


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.binary() | st.floats(), lambda inner: st.lists(inner)
    )
)
def test_any_value_is_shown_in_at_most_eighty_characters(value: object):
    assert len(FieldError(field="a", value=value, allowed="b").sentence()) <= len("a: b (got )") + 80
