"""The layer: exactly what pyproject.toml asks for, in the versions that are tested."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.infra.translated import ROOT

LAMBDA = {
    "python_version": "3.13",
    "python_full_version": "3.13.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "aarch64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "os_name": "posix",
}


def wanted() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ahead = [*project["dependencies"], *project["optional-dependencies"]["cloud"]]
    found: set[str] = set()
    while ahead:
        requirement = Requirement(ahead.pop())
        name = canonicalize_name(requirement.name)
        extras = requirement.extras or {""}
        marker = requirement.marker
        if marker and not any(marker.evaluate({**LAMBDA, "extra": each}) for each in extras):
            continue
        if name not in found:
            found.add(name)
            ahead.extend(each for each in requires(name) or () if "extra ==" not in each)
    return found


def pinned(path: str) -> dict[str, str]:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / path).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def test_the_layer_has_what_the_project_needs_and_no_more() -> None:
    assert set(pinned("shared/requirements.txt")) == wanted()


def test_the_layer_has_the_versions_that_are_tested() -> None:
    # boto3 too: pip would bring the newest botocore beside the older boto3 of Lambda's runtime.
    tested = pinned("requirements/dev.txt")
    assert {"boto3", "botocore"} <= set(pinned("shared/requirements.txt"))
    for name, version in pinned("shared/requirements.txt").items():
        assert tested[name] == version, f"{name}: run `make lock`"


def test_the_layers_requirements_are_pins_and_nothing_else() -> None:
    for line in (ROOT / "shared/requirements.txt").read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9._-]+==[^\s;/]+", line), line


def test_nothing_else_goes_into_the_layer() -> None:
    here = {path.name for path in (ROOT / "shared").iterdir()} - {"__pycache__"}
    assert here == {"trainbell", "requirements.txt"}


def test_nothing_in_functions_shadows_a_package() -> None:
    assert not list((ROOT / "functions").glob("**/__init__.py"))
    assert all(path.suffix == ".py" for path in (ROOT / "functions").iterdir() if path.is_file())
