"""What a package's code says, read without running it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path


def sleeps_in(package: str) -> Sequence[str]:
    """Where a package's modules mention a sleep: `file:line`. Raises LookupError: none such."""
    return [
        f"{path.name}:{node.lineno}"
        for path in _sources(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute | ast.Name) and _word(node) == "sleep"
    ]


def _sources(package: str) -> list[Path]:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"{package} is not a package")
    return [p for root in spec.submodule_search_locations for p in Path(root).rglob("*.py")]


def _word(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id
