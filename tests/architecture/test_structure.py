"""What the structure claims, beside the import contracts of pyproject.toml."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
LINES_AT_MOST = 300


@pytest.fixture(scope="module")
def imports() -> Mapping[str, Iterable[str]]:
    """Every module of the package and the benchmarks, with what it imports."""
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    graph = grimp.build_graph("trainbell", "benchmarks", cache_dir=None)
    return {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}


def test_no_module_imports_itself_through_others(imports: Mapping[str, Iterable[str]]) -> None:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_modules_are_small() -> None:
    folders = ("shared", "functions", "benchmarks")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in files}
    assert [name for name, count in lines.items() if count > LINES_AT_MOST] == []
