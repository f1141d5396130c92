"""A repository whose n-th call fails, before it had its effect or after."""

from collections.abc import Callable
from dataclasses import replace
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
