"""Checks for values that come from outside: requests, files, environment, flags.

A check turns one raw value into the value the program uses, or reports a `FieldError` that says
what is allowed. All errors of an input are collected, so that a person mends them in one go.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from rrcli.errors import ABSENT, FieldError


class Check(Protocol):
    """One value's rule; `allowed` completes the sentence "must be …"."""

    @property
    def allowed(self) -> str: ...

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        """The accepted value; on refusal an error is appended and what is returned means nothing."""
        ...

    def parse(self, text: str) -> object:
        """The raw value that `text` (environment, flag) stands for; text itself where it stands for none."""
        ...


UNKNOWN_LISTED = 20
"""Unknown names that are listed; a request of a hundred thousand is not answered in kind."""


def refuse(errors: list[FieldError], path: str, value: object, allowed: str) -> None:
    """Note that `value` was refused at `path`."""
    errors.append(FieldError(field=path, value=value, allowed=f"must be {allowed}"))


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number within bounds; JSON's true and false are no numbers."""

    minimum: int
    maximum: int

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        if isinstance(value, bool) or not isinstance(value, int) or not self.minimum <= value <= self.maximum:
            refuse(errors, path, value, self.allowed)
        return value

    def parse(self, text: str) -> object:
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()) else text


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number within bounds."""

    minimum: float
    maximum: float

    @property
    def allowed(self) -> str:
        return f"a number from {self.minimum:g} to {self.maximum:g}"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not self.minimum <= value <= self.maximum
        ):
            refuse(errors, path, value, self.allowed)
            return value
        return float(value)

    def parse(self, text: str) -> object:
        try:
            return float(text)
        except ValueError:
            return text


@dataclass(frozen=True, slots=True)
class Boolean:
    """true or false; in text also yes/no, on/off, 1/0."""

    allowed: str = "true or false"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        if not isinstance(value, bool):
            refuse(errors, path, value, self.allowed)
        return value

    def parse(self, text: str) -> object:
        word = text.strip().lower()
        if word in {"true", "yes", "on", "1"}:
            return True
        if word in {"false", "no", "off", "0"}:
            return False
        return text


@dataclass(frozen=True, slots=True)
class Text:
    """A string of bounded length in characters, optionally of a given form."""

    maximum: int
    minimum: int = 1
    form: str | None = None
    form_name: str | None = None
    upper: bool = False

    @property
    def allowed(self) -> str:
        if self.form_name:
            return f"{self.form_name}, at most {self.maximum} characters"
        return f"text of {self.minimum} to {self.maximum} characters"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        if (
            not isinstance(value, str)
            or not self.minimum <= len(value) <= self.maximum
            or "\x00" in value
            or (self.form and not re.fullmatch(self.form, value))
            or (not value.isascii() and not _encodable(value))
        ):
            refuse(errors, path, value, self.allowed)
            return value
        return value.upper() if self.upper else value

    def parse(self, text: str) -> object:
        return text


def _encodable(value: str) -> bool:
    """False for lone surrogates, which JSON can carry and no store or wire can."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words; case is ignored on the way in."""

    options: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(self.options)

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        if isinstance(value, str):
            for option in self.options:
                if option.lower() == value.lower():
                    return option
        refuse(errors, path, value, self.allowed)
        return value

    def parse(self, text: str) -> object:
        return text.strip()


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of bounded length; comma-separated in text."""

    item: Check
    maximum: int

    @property
    def allowed(self) -> str:
        return f"a list of at most {self.maximum} items, each {self.item.allowed}"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) > self.maximum:
            refuse(errors, path, value, self.allowed)
            return ()
        return tuple(self.item(each, f"{path}[{index}]", errors) for index, each in enumerate(value))

    def parse(self, text: str) -> object:
        return [self.item.parse(each.strip()) for each in text.split(",") if each.strip()]


@dataclass(frozen=True, slots=True)
class Optional:
    """The value, or null for "not set"."""

    check: Check

    @property
    def allowed(self) -> str:
        return f"{self.check.allowed}, or null"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        return None if value is None else self.check(value, path, errors)

    def parse(self, text: str) -> object:
        return self.check.parse(text) if text else None


@dataclass(frozen=True, slots=True)
class Nested:
    """A mapping with known keys, such as `retry` or `misfire`, made into `build(**values)`."""

    fields: Mapping[str, Check]
    build: Callable[..., object]

    @property
    def allowed(self) -> str:
        return "a mapping with the keys " + ", ".join(self.fields)

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        if not isinstance(value, Mapping):
            refuse(errors, path, value, self.allowed)
            return value
        before = len(errors)
        values = check_mapping(value, self.fields, errors, prefix=f"{path}.")
        return self.build(**values) if len(errors) == before else value

    def parse(self, text: str) -> object:
        return text


def check_mapping(
    data: Mapping[str, object],
    fields: Mapping[str, Check],
    errors: list[FieldError],
    *,
    required: Iterable[str] = (),
    prefix: str = "",
) -> dict[str, object]:
    """The checked values of `data`; unknown and missing names are errors of their own."""
    for name in islice((each for each in data if each not in fields), UNKNOWN_LISTED):
        near = did_you_mean(str(name), fields)
        known = f"{near} is known" if near else "known fields are " + ", ".join(fields)
        field = prefix + nameable(name)
        errors.append(FieldError(field=field, value=data[name], allowed=f"is not a field; {known}"))
    for name in required:
        if name not in data:
            errors.append(FieldError(field=f"{prefix}{name}", value=ABSENT, allowed="is required"))
    return {
        name: check(data[name], f"{prefix}{name}", errors) for name, check in fields.items() if name in data
    }


def nameable(name: object) -> str:
    """A name from outside, fit for an error message: bounded, and without what cannot be printed."""
    text = str(name)
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:80])
    return shown if shown == text or len(text) <= 80 else shown + "..."


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to a mistyped one, if any is near."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word[:80], list(known), n=1, cutoff=0.7)), None)
