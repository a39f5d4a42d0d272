"""What holds for every request of one operation at a service, wherever in a provider it is sent.

The door opens a scope around each operation; whatever sends a request (`ServiceHttp`, an AWS
client) announces it here. So a poll that takes thirteen requests counts as thirteen, and all of
them share one deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from trainbell.domain.addresses import EMBEDDED, Reach

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class CallScope:
    """`on_request` is called before each request; `seconds_left` is the rest of the operation's
    time, at least 0; `reach`: to which addresses they may go."""

    on_request: Callable[[], None]
    seconds_left: Callable[[], float]
    reach: Reach = EMBEDDED


_current: ContextVar[CallScope | None] = ContextVar("trainbell_call_scope", default=None)


def within(scope: CallScope, work: Callable[[], Value]) -> Value:
    """Do the work with this scope around it."""
    token = _current.set(scope)
    try:
        return work()
    finally:
        _current.reset(token)


def request_begins(whole_seconds: float) -> float:
    """Announce a request. Returns the seconds that it may take: `whole_seconds`, or what is left.

    Outside a scope (a provider that is driven by hand) nothing is counted.
    """
    scope = _current.get()
    if scope is None:
        return whole_seconds
    scope.on_request()
    return min(whole_seconds, scope.seconds_left())


def current_reach() -> Reach:
    """To which addresses a call may go now. Outside a scope: to all but those of nobody."""
    scope = _current.get()
    return EMBEDDED if scope is None else scope.reach
