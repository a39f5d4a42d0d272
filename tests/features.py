"""The documented services' features, and the tests that show each of them.

A test shows feature A3 when it is marked `feature("A3", does="start poll")`. The mark is a promise
that is kept or the test fails (tests/conftest.py): each of these operations went through the API of
an embedded Trainbell, or of the deployed stack where the test goes `anywhere`. A test whose name
begins `test_A3_` stands beside it: it may go where no API leads, such as the bytes of a signature.

`python -m tests.features` runs all of them and writes docs/features.md; a unit test keeps that page
complete and current.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "features.md"

SERVICES: Mapping[str, tuple[str, str]] = {
    "A": ("Azure AI Vision custom models", "azure_vision"),
    "L": ("Amazon Lookout for Vision", "lookout_vision"),
    "D": ("DeepVA trainings", "deepva"),
    "E": ("Einstein Vision and Language", "einstein"),
    "R": ("DataRobot custom models", "datarobot"),
}

FEATURES: Mapping[str, str] = {
    "A1": "start by a name that the caller chooses; a conflict where it exists",
    "A2": "model kinds: classifier, detector, product recogniser",
    "A3": "time budget, up to 1,344 hours",
    "A4": "evaluation as a job of its own",
    "A5": "states",
    "A6": "performance, whole and per tag",
    "A7": "cost in minutes",
    "A8": "errors kept whole",
    "A9": "cancel, through cancelling to cancelled",
    "A10": "list by pages, get, delete once ended",
    "L1": "projects and model versions, numbered by the service",
    "L2": "idempotency token, 8 hours",
    "L3": "description, KMS key, output location, up to 200 tags",
    "L4": "states; hosting states mean that training had succeeded",
    "L5": "performance and evaluation in S3",
    "L6": "errors, each its own, with Retry-After",
    "L7": "signed requests",
    "L8": "describe, list by pages, delete",
    "D1": "start, get, list by pages, delete",
    "D2": "config by dataset type",
    "D3": "output model and its versions",
    "D4": "states",
    "D5": "progress, duration, times without a zone",
    "D6": "the input dataset as an object",
    "D7": "no second training on a repeat, found by a marker",
    "E1": "train, and retrain that keeps the model id",
    "E2": "algorithm, epochs, learning rate",
    "E3": "training parameters, given back",
    "E4": "one training at a time per dataset",
    "E5": "states with queue position and progress",
    "E6": "training statistics and learning curve",
    "E7": "refused where dataset or model are deleted",
    "E8": "a token that is renewed while the job is watched",
    "E9": "multipart requests",
    "R1": "model test with its checks",
    "R2": "test log, tail, cancel",
    "R3": "dependency build",
    "R4": "conversion",
    "R5": "feature impact, joined where already submitted",
    "R6": "prediction explanations",
    "R7": "training data assignment, version from a repository",
    "R8": "asynchronous status",
    "R9": "models",
    "R10": "versions with files",
    "R11": "limits and paged lists",
    "R12": "access control",
}


IN_THE_CLOUD: Mapping[str, str] = {
    "A1": "start",
    "A4": "start poll",
    "A5": "poll",
    "A9": "cancel",
    "A10": "delete",
    "L1": "start",
    "L4": "poll",
    "L8": "delete",
    "D1": "start poll delete",
    "D4": "poll",
    "E1": "start poll",
    "E5": "poll",
    "E7": "delete",
    "R1": "start poll",
    "R2": "cancel logs",
    "R3": "start poll logs",
    "R4": "start cancel",
    "R8": "poll",
    "R9": "delete",
}
"""What is about starting, polling, cancelling, deleting or logs is gone through in both engines."""

ANYWHERE = "anywhere"
"""The fixture of a test that runs with each engine (tests/doors/conftest.py)."""


@dataclass(frozen=True)
class Shown:
    """A test's node id, and the operations that it takes through the API of each engine."""

    node: str
    embedded: frozenset[str]
    cloud: frozenset[str]


@dataclass
class Proof:
    """The tests that show one feature. `beside`: those that do not go through the API."""

    through: list[Shown] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    @property
    def nodes(self) -> list[str]:
        return [*(shown.node for shown in self.through), *self.beside]


def proofs() -> dict[str, Proof]:
    """By feature, in the order of files and lines; pytest's node ids are without parameters."""
    found = {feature: Proof() for feature in FEATURES}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        where = path.relative_to(ROOT).as_posix()
        if where.startswith("tests/vendor/"):
            continue  # They run apart, in environments of their own.
        for names, test in _tests(ast.parse(path.read_text())):
            node = "::".join([where, *names])
            marked, shown = _marked(node, test)
            for feature in marked:
                found[feature].through.append(shown)
            for feature in _named(names[-1]):
                if feature not in marked:
                    found[feature].beside.append(node)
    return found


def unproven(found: Mapping[str, Proof]) -> list[str]:
    """What no test takes through the API: `A9: cancel, cloud`."""
    problems = []
    for feature, proof in found.items():
        needed = IN_THE_CLOUD.get(feature, "").split()
        if not any(shown.embedded for shown in proof.through):
            problems.append(f"{feature}: embedded")
        for engine in ("embedded", "cloud"):
            done = {each for shown in proof.through for each in getattr(shown, engine)}
            problems += [f"{feature}: {each}, {engine}" for each in needed if each not in done]
    return problems


def _marked(node: str, test: ast.FunctionDef) -> tuple[Sequence[str], Shown]:
    """The features of a test's mark, all of which must be known."""
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.feature":
            marked = [ast.literal_eval(argument) for argument in decorator.args]
            if unknown := set(marked) - set(FEATURES):
                raise ValueError(f"{node} shows {unknown}, which are no features")
            [does] = [ast.literal_eval(each.value) for each in decorator.keywords]
            done = frozenset(does.split())
            anywhere = ANYWHERE in [argument.arg for argument in test.args.args]
            return marked, Shown(node, done, done if anywhere else frozenset())
    return (), Shown(node, frozenset(), frozenset())


def _named(test_name: str) -> Iterator[str]:
    """A test may stand beside several: `test_D4_D5_…`."""
    for word in test_name.removeprefix("test_").split("_"):
        if word not in FEATURES:
            return
        yield word


def _tests(tree: ast.Module) -> Iterator[tuple[tuple[str, ...], ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield (node.name,), node
        elif isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
                    yield (node.name, each.name), each


def page(found: Mapping[str, Proof], passed: bool) -> str:
    """The page in Markdown: a table for each service."""
    missing = {problem.partition(":")[0] for problem in unproven(found)}
    lines = [
        "# Features of the documented services",
        "",
        "Generated by `python -m tests.features`, which runs every test named or counted here.",
        "`make test` runs them too, and fails where this page is not complete.",
        "",
        "- **embedded**, **cloud**: tests that go through Trainbell's API, or a command, which",
        "  goes through it; in one process, and in the stack as deployed to AWS on this machine.",
        "  What is in brackets went that way, or the test fails: start, poll, cancel, delete,",
        "  logs, ask (a call on the account), refuse. What is about the first five is gone through",
        "  in the cloud, too.",
        "- **beside**: how many tests hold provider and simulator to the document besides.",
    ]
    for letter, (title, provider) in SERVICES.items():
        rows = {feature: proof for feature, proof in found.items() if feature[0] == letter}
        lines += ["", f"## {title} (`{provider}`)", ""]
        lines += ["| id | feature | embedded | cloud | beside | |", "|--|--|--|--|--|--|"]
        for feature, proof in rows.items():
            outcome = "pass" if passed and feature not in missing else "fail"
            embedded = _cell((shown, shown.embedded) for shown in proof.through)
            cloud = _cell((shown, shown.cloud) for shown in proof.through)
            cells = [feature, FEATURES[feature], embedded, cloud, str(len(proof.beside)), outcome]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(shown: Iterable[tuple[Shown, frozenset[str]]]) -> str:
    return "<br>".join(
        f"`{test.node.rsplit('::', 1)[-1]}` ({', '.join(sorted(done))})"
        for test, done in shown
        if done
    )


def main() -> int:
    found = proofs()
    nodes = dict.fromkeys(node for proof in found.values() for node in proof.nodes)
    status = pytest.main(["-q", *nodes])
    PAGE.write_text(page(found, passed=status == 0))
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
