"""What plugins may stand on is written out, and the scaffolds stand on nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from string import Template

import pytest

from tests import plugin_surface
from tests.plugin_surface import MODULES, PAGE, surface
from trainbell import plugins
from trainbell.plugins import calling

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "shared" / "trainbell" / "cli"
RULE = ROOT / "docs" / "plugin-api.md"


def test_the_public_names_and_their_forms_are_as_written_down() -> None:
    assert surface() == PAGE.read_text(encoding="utf-8"), (
        "the plugin API has changed: read docs/plugin-api.md, decide PLUGIN_API_VERSION, and then "
        "run: python -m tests.plugin_surface"
    )


def test_a_renamed_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "path_part", calling.path_segment, raising=False)
    renamed = ["path_part" if name == "path_segment" else name for name in calling.__all__]
    monkeypatch.setattr(calling, "__all__", renamed)
    assert plugin_surface.surface() != PAGE.read_text(encoding="utf-8")


def test_arguments_fields_and_members_are_written_down() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "path_segment(value: str) -> str\n" in page
    assert (
        "Notice(object)\n    id: str\n    event: JobEvent\n    job: Job\n    url: str | None = …\n"
        in page
    )
    assert "    send(self, notice: Notice) -> None\n" in page
    assert "    FAILED = 'failed'\n" in page


def test_the_rule_names_the_version_in_force() -> None:
    version = ".".join(map(str, plugins.PLUGIN_API_VERSION))
    assert f"Version in force: **{version}**" in RULE.read_text(encoding="utf-8")


def test_declaring_a_plugin_loads_no_http_client_and_no_aws() -> None:
    script = (
        "import sys, trainbell.plugins\n"
        "assert not {'httpx', 'botocore', 'pytest'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=30)


@pytest.mark.parametrize("scaffold", ["provider_template", "channel_template"])
def test_a_scaffold_stands_on_the_public_names_only(scaffold: str) -> None:
    taken = {
        (path.name, node.module)
        for path in (TEMPLATES / scaffold).rglob("*.py.tmpl")
        for node in ast.walk(ast.parse(_plain(path)))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("trainbell")
        # The project's own package is named in the template by a word of its own.
        and not (node.module or "").startswith("trainbell_")
    }
    assert taken
    assert {module for _, module in taken} <= set(MODULES), taken


def _plain(path: Path) -> str:
    named = Template(path.read_text(encoding="utf-8"))
    return named.substitute(
        name="toy", dashed="toy", package="trainbell_toy", class_name="Toy", title="Toy"
    )
