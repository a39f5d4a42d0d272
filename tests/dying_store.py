"""A store whose process dies in the middle of its work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainbell.ports import Store


class Killed(BaseException):
    """The process is gone: nothing catches this, and nothing runs after it."""


class DyingStore:
    """A real store whose process dies at the n-th write, before or after it is on disk."""

    WRITES = frozenset({"create", "save", "settle_outbox"})

    def __init__(self, store: Store, dies_at: int, *, after: bool) -> None:
        self._store, self._dies_at, self._after = store, dies_at, after
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        return self._counted(method) if name in self.WRITES else method

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.writes += 1
            if self.writes == self._dies_at and not self._after:
                raise Killed
            result = method(*args, **kwargs)
            if self.writes == self._dies_at:
                raise Killed
            return result

        return call
