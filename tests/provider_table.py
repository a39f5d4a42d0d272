"""The table in docs/providers/README.md, from what the providers declare of themselves.

`python -m tests.provider_table` renews it; a unit test keeps it current.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.builders import FakeClock
from tests.open_secrets import OpenSecrets
from trainbell.ports import ProviderSpec
from trainbell.providers.catalog import Catalog
from trainbell.simulators.__main__ import names as simulated_names

PAGES = Path(__file__).parents[1] / "docs" / "providers"
PAGE = PAGES / "README.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
COLUMNS = (
    "provider",
    "service",
    "the service is",
    "kinds of job",
    "cancel",
    "logs",
    "progress",
    "settles in",
    "calls a minute",
    "simulated",
)


class _NoSecrets(OpenSecrets):
    def read(self, reference: str) -> str:
        raise LookupError(f"a table needs no secret: {reference}")


def specs() -> list[ProviderSpec]:
    """Of the providers that are part of Trainbell, by name."""
    catalog = Catalog(_NoSecrets(), FakeClock(), third_party=lambda: ())
    return [catalog.spec(name) for name in catalog.names()]


def table() -> str:
    lines = [COLUMNS, ["--"] * len(COLUMNS), *(_row(spec) for spec in specs())]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def renewed(page: str) -> str:
    """The page with the table of today. Raises ValueError where it has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE} has lost the marks around its table")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _row(spec: ProviderSpec) -> Iterator[str]:
    yield f"[`{spec.name}`]({spec.name}.md)"
    yield spec.title
    yield f"{spec.service.state} ([{spec.service.as_of}]({_source(spec)}))"
    yield ", ".join(f"`{kind}`" for kind in spec.kinds)
    yield _kinds(spec, spec.cancels)
    yield _kinds(spec, spec.logs)
    yield _yes(spec.has_progress)
    yield f"{spec.settle_seconds:g} s"
    yield f"{spec.calls_per_minute:g}" if spec.calls_per_minute else "as set"
    yield _yes(spec.name in simulated_names())


def _source(spec: ProviderSpec) -> str:
    """As a link from this page: a path is from the project's root."""
    source = spec.service.source
    return source if "://" in source else f"../../{source}"


def _kinds(spec: ProviderSpec, can: Callable[[str], bool]) -> str:
    """Yes, no, or the kinds of job that can."""
    able = [kind for kind in spec.kinds if can(kind)]
    if len(able) in (0, len(spec.kinds)):
        return _yes(bool(able))
    return ", ".join(f"`{kind}`" for kind in able)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def main() -> int:
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
