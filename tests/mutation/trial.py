"""One mutant before its provider's tests, in a process of its own.

The process is forked from one that has imported what all tests need and no provider, so a trial is
quick. The mutant is put in place of its module as that is imported: no file is ever changed.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from tests.aws_models import service_model
from tests.mutation.mutant import PACKAGE, PROVIDERS, ROOT, Mutant

SHARED = (
    "boto3",
    "httpx",
    "moto.server",
    "pydantic",
    "tests.builders",
    "tests.contract.limits",
    "tests.contract.store_factories",
    "tests.inner_provider",
    "tests.toy_service",
    "trainbell.conformance",
    "trainbell.providers.catalog",
    "trainbell.providers.http",
    "trainbell.providers.pages",
    "trainbell.simulators.azure_vision",
    "trainbell.simulators.datarobot",
    "trainbell.simulators.deepva",
    "trainbell.simulators.einstein",
    "trainbell.simulators.lookout_vision",
    "trainbell.simulators.server",
    "xml.dom.minidom",
)
"""Imported once, before the first fork."""
LIKELY = {"status": "test_conformance.py", "bound": "test_limits.py", "pattern": "test_limits.py"}
"""The file that is to kill such a mutant, and so runs first."""
SLOW = "test_conformance.py"
"""Last, where it is not likely."""


def import_what_is_shared() -> None:
    for name in SHARED:
        importlib.import_module(name)
    service_model("sagemaker")
    early = [each for each in PROVIDERS if f"{PACKAGE}.{each}" in sys.modules]
    if early:
        raise RuntimeError(f"imported too early to be mutated: {', '.join(early)}")


def files_of(provider: str, kind: str | None = None) -> list[Path]:
    """A provider's contract tests, and unit tests that bear its name; the likely killers first."""
    tests = ROOT / "tests"
    found = [
        *(tests / "contract" / provider).rglob("test_*.py"),
        *(tests / "unit").glob(f"test_{provider}*.py"),
    ]
    likely = LIKELY.get(kind or "")
    return sorted(found, key=lambda path: (path.name != likely, path.name == SLOW, path))


class _Mutated(SourceFileLoader):
    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self.mutant = mutant
        self.is_loaded = False

    def get_code(self, fullname: str) -> CodeType:
        self.is_loaded = True
        return compile(self.mutant.source, str(self.mutant.path), "exec", dont_inherit=True)


class _InPlace(MetaPathFinder):
    def __init__(self, loader: _Mutated) -> None:
        self._loader = loader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        mutant = self._loader.mutant
        if fullname != mutant.module:
            return None
        return importlib.util.spec_from_file_location(fullname, mutant.path, loader=self._loader)


class _FirstFailure:
    """Runs what killed before at first, and remembers what kills now."""

    def __init__(self, killers: Sequence[str]) -> None:
        self._order = {name: at for at, name in enumerate(killers)}
        self.name: str | None = None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        last = len(self._order)
        items.sort(key=lambda item: self._order.get(item.nodeid, last))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.name is None:
            self.name = report.nodeid


def run(
    mutant: Mutant | None, killers: Sequence[str], files: Sequence[Path], to: Connection
) -> None:
    """In the fork: sends what failed first, or None where every test has passed."""
    os.setpgid(0, 0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    # Plugins that the tests do not need, which would complain of what is imported already.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    loader = None
    if mutant is not None:
        loader = _Mutated(mutant)
        sys.meta_path.insert(0, _InPlace(loader))
    try:
        to.send(_first_failure(killers, files, loader))
    except BaseException as exc:  # noqa: BLE001 - a mutant may break anything
        to.send(f"{type(exc).__name__}: {exc}")
    to.close()
    os._exit(0)


def _first_failure(
    killers: Sequence[str], files: Sequence[Path], loader: _Mutated | None
) -> str | None:
    for file in files:
        watcher = _FirstFailure(killers)
        status = pytest.main(
            ["-x", "-p", "no:cacheprovider", "-p", "pytest_timeout", str(file)],
            plugins=[watcher],
        )
        if status != pytest.ExitCode.OK:
            return watcher.name or f"{file.relative_to(ROOT)}: {pytest.ExitCode(status).name}"
    if loader is not None and not loader.is_loaded:
        raise RuntimeError(f"no test imports {loader.mutant.module}")
    return None
