"""A pytest plugin that breaks one rule of a simulator: `pytest -p tests.vendor.broken_rules`.

`BROKEN_RULE` names the service. Each module that drives a vendor's client then meets a simulator
whose answers are altered as the table says, and has to notice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest

from trainbell.simulators.service import Answer, Request, SimulatedService

VARIABLE = "BROKEN_RULE"


@dataclass(frozen=True, kw_only=True)
class BrokenRule:
    """`rule`: what holds no more. `noticed_by`: tests that must fail for it, by the end of their
    ids."""

    rule: str
    altered: Callable[[Request, Answer], Answer]
    noticed_by: frozenset[str]


def _another_status(status: int, instead: int) -> Callable[[Request, Answer], Answer]:
    def altered(_: Request, answer: Answer) -> Answer:
        return replace(answer, status=instead) if answer.status == status else answer

    return altered


def _another_word(word: bytes, instead: bytes) -> Callable[[Request, Answer], Answer]:
    return lambda _, answer: replace(answer, body=answer.body.replace(word, instead))


RULES: Mapping[str, BrokenRule] = {
    "azure_vision": BrokenRule(
        rule="a name that exists is a conflict",
        altered=_another_status(409, 201),
        noticed_by=frozenset({"[train again]", "[dataset again]", "[evaluate again]"}),
    ),
    "datarobot": BrokenRule(
        rule="what is in the way of a change is a conflict, not an invalid field",
        altered=_another_status(409, 422),
        noticed_by=frozenset({"test_R2_log_tail_and_cancel", "test_R3_dependency_builds"}),
    ),
    "einstein": BrokenRule(
        rule="a training that has just begun is queued",
        altered=_another_word(b'"QUEUED"', b'"RUNNING"'),
        noticed_by=frozenset({"[train]", "[queued]", "[retrain]"}),
    ),
    "lookout_vision": BrokenRule(
        rule="a version cannot be deleted while it is trained or hosted",
        altered=_another_status(409, 400),
        noticed_by=frozenset({"[delete while training]", "[delete while hosted]"}),
    ),
}
"""By service: one rule each, out of its documentation."""


def broken(simulator: type[SimulatedService], rule: BrokenRule) -> type[SimulatedService]:
    """The same simulator, but for this rule."""

    class Broken(simulator):  # type: ignore[valid-type, misc]  # a class made for this run
        def handle(self, request: Request) -> Answer:
            return rule.altered(request, super().handle(request))

    return Broken


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    rule = RULES[os.environ[VARIABLE]]
    modules: set[Any] = {getattr(item, "module", None) for item in items}
    for module in modules:
        if isinstance(module, ModuleType):
            _break(module, rule)


def _break(module: ModuleType, rule: BrokenRule) -> None:
    """Whatever simulator the module imported is a broken one from now on."""
    for name, value in list(vars(module).items()):
        if (
            isinstance(value, type)
            and issubclass(value, SimulatedService)
            and value.__module__.startswith("trainbell.simulators.")
        ):
            setattr(module, name, broken(value, rule))
