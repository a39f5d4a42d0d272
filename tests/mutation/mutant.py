"""A mutant: a provider's module with one small fault in it, and where the faults are planted."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.mutation import operators
from tests.mutation.operators import Change
from tests.mutation.patterns import in_patterns

ROOT = Path(__file__).parents[2]
PACKAGE = "trainbell.providers"
PROVIDERS = (
    "azure_vision",
    "lookout_vision",
    "deepva",
    "einstein",
    "datarobot",
    "sagemaker",
)
ASKED = (
    "parameters.py",
    "account_parameters.py",
    "options.py",
    "input_parts.py",
    "account_calls.py",
    "fields.py",
)
"""The modules with the schemas of what a caller may ask for."""

Operator = Callable[[ast.Module], Iterator[Change]]
KINDS: Mapping[str, Operator] = {
    "status": operators.in_status_tables,
    "bound": operators.in_bounds,
    "pattern": in_patterns,
    "header": operators.in_headers,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """`name` is stable while the code around it moves: it has no line number."""

    provider: str
    kind: str
    path: Path
    line: int
    what: str
    source: str

    @property
    def module(self) -> str:
        parts = self.path.relative_to(ROOT / "shared").with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def name(self) -> str:
        return f"{self.module.removeprefix(PACKAGE + '.')}: {self.what}"


def mutants_of(provider: str) -> list[Mutant]:
    """Every mutant of a provider, in the order of files and lines; each name once."""
    folder = ROOT / "shared" / Path(*PACKAGE.split(".")) / provider
    found = [mutant for path in sorted(folder.rglob("*.py")) for mutant in _of_file(provider, path)]
    return list({mutant.name: mutant for mutant in found}.values())


def _of_file(provider: str, path: Path) -> Iterator[Mutant]:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    for kind, operator in KINDS.items():
        if kind == "bound" and path.name not in ASKED:
            continue
        for change in operator(tree):
            yield Mutant(
                provider=provider,
                kind=kind,
                path=path,
                line=change.node.lineno,
                what=f"{_owner(tree, change.node)}{change.what}",
                source=_replaced(source, change),
            )


def _replaced(source: str, change: Change) -> str:
    """The parser counts columns in bytes of UTF-8."""
    lines = source.encode().splitlines(keepends=True)
    node = change.node
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    before = b"".join(lines[: node.lineno - 1]) + lines[node.lineno - 1][: node.col_offset]
    after = lines[node.end_lineno - 1][node.end_col_offset :] + b"".join(lines[node.end_lineno :])
    return (before + change.text.encode() + after).decode()


def _owner(tree: ast.Module, node: ast.expr | ast.keyword) -> str:
    """`TrainParameters.epochs: `, the nearest names around the place."""
    names = []
    body: list[ast.stmt] = tree.body
    while True:
        around = next((each for each in body if _holds(each, node)), None)
        if isinstance(around, ast.ClassDef | ast.FunctionDef):
            names.append(around.name)
            body = around.body
            continue
        match around:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                names.append(name)
        return ".".join(names) + ": " if names else ""


def _holds(outer: ast.stmt, node: ast.expr | ast.keyword) -> bool:
    assert outer.end_lineno is not None
    return outer.lineno <= node.lineno <= outer.end_lineno
