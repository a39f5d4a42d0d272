"""What a service can be asked beside its jobs: what is there, and what is to go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

Answer = Mapping[str, Any]
Run = Callable[[Any, Any], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCall:
    """One call, declared by its provider.

    `parameters` as a kind's: a pydantic model, extra fields forbidden. `run` gets the connection's
    provider and these parameters, checked; it raises as a provider does, and gives a JSON object.
    A list's has `items` and `next`, the parameters of the next page or None. `changes`: whether
    something at the service is another afterwards. `deprecated`: by the service's own words.
    """

    name: str
    title: str
    parameters: type[BaseModel]
    run: Run
    changes: bool = False
    deprecated: bool = False


@runtime_checkable
class Surrounds(Protocol):
    """A provider that stands around another, such as one that redacts what the other says."""

    def ask(self, run: Run, given: Any) -> Answer:
        """Run it on the other, and treat its answer as all that the other says."""
        ...


def ask(provider: Any, call: AccountCall, given: Any) -> Answer:
    """The call's answer, whatever stands around the provider."""
    if isinstance(provider, Surrounds):
        return provider.ask(call.run, given)
    return call.run(provider, given)


def from_module(target: str) -> Run:
    """`package.module:function`, imported at the first call: who only lists what a provider can do
    needs no HTTP client."""

    def run(provider: Any, given: Any) -> Answer:
        module, _, function = target.partition(":")
        answer: Answer = getattr(import_module(module), function)(provider, given)
        return answer

    run.__qualname__ = target
    return run


def table(*calls: AccountCall) -> Mapping[str, AccountCall]:
    """By name. Raises ValueError for a name that is given twice."""
    named = {call.name: call for call in calls}
    if len(named) < len(calls):
        raise ValueError("two calls have one name")
    return named
