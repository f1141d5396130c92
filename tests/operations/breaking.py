"""A repository whose n-th call fails, before it had its effect or after."""

from collections.abc import Callable
from dataclasses import replace
from threading import get_ident
from typing import Any, cast

from rrcli.errors import StoreUnavailable
from rrcli.operations.context import Context
from rrcli.repository.base import Repository


class BreakingRepository:
    """Passes every call on, and breaks at the `at`-th (from 0) of them."""

    is_remote = False
    """So that one thread makes all calls, and the n-th is always the same."""

    def __init__(self, target: Repository, *, at: int, has_effect: bool) -> None:
        self._target = target
        self._at = at
        self._has_effect = has_effect
        self._calls = 0

    @property
    def broke(self) -> bool:
        """Whether it came to the call that fails."""
        return self._calls > self._at

    @property
    def schedules(self) -> Any:
        return _Part(self._target.schedules, self._call)

    @property
    def events(self) -> Any:
        return _Part(self._target.events, self._call)

    @property
    def queues(self) -> Any:
        return _Part(self._target.queues, self._call)

    def _call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        number = self._calls
        self._calls += 1
        if number != self._at:
            return method(*args, **kwargs)
        if self._has_effect:
            method(*args, **kwargs)
        raise StoreUnavailable("The connection broke.")


class TwoPartedRepository(BreakingRepository):
    """Counts the calls of other threads for themselves, which break at their `others_at`-th.

    What two threads write at the same time are parts that do not meet: what a crash leaves depends on how far
    each had come, not on the order of their calls. So it is the same every time.
    """

    is_remote = True

    def __init__(self, target: Repository, *, at: int, others_at: int, has_effect: bool) -> None:
        super().__init__(target, at=at, has_effect=has_effect)
        self.others = BreakingRepository(target, at=others_at, has_effect=has_effect)
        self._thread = get_ident()

    def _call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if get_ident() == self._thread:
            return super()._call(method, *args, **kwargs)
        return self.others._call(method, *args, **kwargs)


class _Part:
    def __init__(self, target: object, call: Callable[..., Any]) -> None:
        self._target = target
        self._call = call

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._target, name)
        return lambda *args, **kwargs: self._call(method, *args, **kwargs)


def breaking(context: Context, *, at: int, has_effect: bool) -> tuple[Context, BreakingRepository]:
    """The context over a store that breaks once."""
    repository = BreakingRepository(context.repository, at=at, has_effect=has_effect)
    return replace(context, repository=cast(Repository, repository)), repository


def breaking_in_parts(
    context: Context, *, at: int, others_at: int, has_effect: bool
) -> tuple[Context, TwoPartedRepository]:
    """As `breaking`, on a store on which what can be done at the same time is."""
    repository = TwoPartedRepository(context.repository, at=at, others_at=others_at, has_effect=has_effect)
    return replace(context, repository=cast(Repository, repository)), repository
