"""`trainbell new-provider`: what it makes fails clearly, passes once filled in, and is found."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.new_project import ROOT, check_is_clean, install, made, run
from trainbell.cli.app import exit_status
from trainbell.cli.exit_codes import ExitCode
from trainbell.cli.new_plugin import MAX_NAME, make_project

CLI = ROOT / "shared" / "trainbell" / "cli"
MYPY_CACHE = ROOT / ".mypy_cache" / "new-provider"
LONGEST = "a" * (MAX_NAME - 3) + "_bc"

# Nothing but the parts that the project asks for: for a service with jobs under /jobs.
WRITTEN: Mapping[str, Mapping[str, str]] = {
    "trainbell_toy/parameters.py": {"wire": 'return {"mark": job_id, "data": self.data}'},
    "trainbell_toy/client.py": {
        "start_job": """
call = Call(
    operation="start a job", method="POST", path="/jobs", json=body, effect=Effect.START
)
return self.http.send(call).model(VendorJob)
""",
        "job": """
path = f"/jobs/{path_segment(job_id)}"
call = Call(operation="get a job", path=path, missing_is_job=True)
return self.http.send(call).model(VendorJob)
""",
        "jobs_of": """
call = Call(operation="list jobs", path="/jobs", query={"mark": trainbell_job_id})
return self.http.send(call).model(JobList).jobs
""",
        "cancel_job": """
path = f"/jobs/{path_segment(job_id)}"
self.http.send(
    Call(operation="cancel a job", method="DELETE", path=path, effect=Effect.CHANGE)
)
""",
        "account": """
call = Call(operation="list jobs", path="/jobs")
return f"{len(self.http.send(call).model(JobList).jobs)} jobs"
""",
    },
    "tests/simulated_service.py": {
        "handle": """
if request.headers.get("authorization") != f"Bearer {API_KEY}":
    return Answer.json({"message": "who are you?"}, 401)
job_id = request.path.removeprefix("/jobs").removeprefix("/")
if request.method == "POST":
    given = json.loads(request.body)
    if given["data"] == "none":
        return Answer.json({"message": "no such data"}, 422)
    self.starts[given["mark"]] += 1
    job = {"id": f"job-{len(self.jobs) + 1}", "status": "runs", "mark": given["mark"]}
    self.jobs[job["id"]] = job
    return Answer.json(job, 201)
if not job_id:
    mark = request.query.get("mark")
    return Answer.json({"jobs": [j for j in self.jobs.values() if mark in (None, j["mark"])]})
if job_id not in self.jobs:
    return Answer.json({"message": "no such job"}, 404)
if request.method == "DELETE" and self.jobs[job_id]["status"] == "runs":
    self.jobs[job_id]["status"] = "stops"
return Answer.json(self.jobs[job_id])
""",
        "finish": 'self.say(handle, "done")',
        "get_on": """
for job in self.jobs.values():
    job["status"] = {"runs": "done", "stops": "stopped"}.get(job["status"], job["status"])
""",
        "say": 'self.jobs[handle["id"]]["status"] = status',
    },
    "tests/test_conformance.py": {
        "an_order": 'return StartOrder(job_id=job_id, kind="train", parameters={"data": "d"})',
        "a_bad_order": """
parameters = {"data": "none"}
return StartOrder(job_id=job_id, kind="train", parameters=parameters)
""",
    },
}
CHANGED: Mapping[str, Mapping[str, str]] = {
    "trainbell_toy/__init__.py": {
        'as_of="", note="", source=""': 'as_of="2026-01-01", note="A toy.", source="https://toy/"'
    },
    "trainbell_toy/parameters.py": {'and ranges."""\n': 'and ranges."""\n\n    data: str\n'},
    "trainbell_toy/status_map.py": {
        "State] = {}": """State] = {
    "runs": State.RUNNING,
    "stops": State.CANCELLING,
    "done": State.SUCCEEDED,
    "stopped": State.CANCELLED,
}"""
    },
    "trainbell_toy/vendor_models.py": {
        "message: Text = None\n": "message: Text = None\n\n\n"
        "class JobList(BaseModel):\n    jobs: list[VendorJob]\n"
    },
    "trainbell_toy/client.py": {
        "import ServiceHttp\n": "import Call, Effect, ServiceHttp, path_segment\n",
        "import VendorJob": "import JobList, VendorJob",
    },
    "tests/simulated_service.py": {
        "from trainbell.plugins import Handle": "import json\nfrom typing import Any\n\n"
        "from trainbell.plugins import Handle",
        "    def handle": """    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, dict[str, Any]] = {}

    def handle""",
    },
    "tests/test_conformance.py": {
        "= frozenset()": '= frozenset({"runs", "stops", "done", "stopped"})'
    },
}


def fill_in(project: Path) -> None:
    for name, changes in CHANGED.items():
        path = project / name
        text = path.read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, (name, old)
            text = text.replace(old, new)
        path.write_text(text)
    for name, functions in WRITTEN.items():
        path = project / name
        for function, body in functions.items():
            path.write_text(_with_body(path.read_text(), function, body))


def _with_body(source: str, function: str, body: str) -> str:
    """The source with this function's `raise NotImplementedError` replaced."""
    nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]
    (last,) = (n.body[-1] for n in nodes if n.name == function)
    assert isinstance(last, ast.Raise)
    indent = " " * last.col_offset
    new = [f"{indent}{line}".rstrip() for line in body.strip().splitlines()]
    lines = source.splitlines()
    lines[last.lineno - 1 : last.end_lineno] = new
    return "\n".join(lines) + "\n"


def test_what_is_made_fails_once_for_each_part_that_is_to_be_written(tmp_path: Path) -> None:
    project = made("provider", tmp_path)
    said = run(project, "pytest", "tests/test_filled_in.py")
    parts = {f"{path}, {function}" for path, all_ in WRITTEN.items() for function in all_}
    failed = {line for line in said.stdout.splitlines() if line.startswith("FAILED")}
    assert said.returncode == 1
    assert {line.partition("[")[2].partition("]")[0] for line in failed} == parts
    assert "client.py, start_job: send the call that starts a job, with Effect.START" in said.stdout


def test_its_suite_fails_with_the_reason_and_cannot_pass_empty(tmp_path: Path) -> None:
    said = run(made("provider", tmp_path), "pytest", "tests/test_conformance.py")
    assert said.returncode == 1
    assert "NotImplementedError: give an order that the simulated service accepts" in said.stdout
    assert "the spec's service status has no as_of" in said.stdout
    assert "the documented statuses are not listed" in said.stdout
    assert " passed" not in said.stdout.replace("1 passed", "")  # That no client sleeps.


@pytest.mark.parametrize("name", ["toy", LONGEST])
def test_what_is_made_is_clean(tmp_path: Path, name: str) -> None:
    project = made("provider", tmp_path, name)
    check_is_clean(project, MYPY_CACHE)


FOUND = """
from trainbell.clock import SystemClock
from trainbell.providers.catalog import Catalog
from pathlib import Path
from trainbell.secret_sources import MachineSecrets
print(Catalog(MachineSecrets(Path("data")), SystemClock()).spec("toy").title)
"""


def test_filled_in_it_passes_and_trainbell_finds_it(tmp_path: Path) -> None:
    project = made("provider", tmp_path)
    fill_in(project)
    said = run(project, "pytest")
    assert said.returncode == 0, said.stdout[-4000:]
    said = run(project, "mypy", "--cache-dir", MYPY_CACHE)
    assert said.returncode == 0, said.stdout
    install(project)
    found = subprocess.run(
        [sys.executable, "-c", FOUND], cwd=project, capture_output=True, text=True, check=True
    )
    assert found.stdout == "Toy\n"
    assert (
        "there is a provider toy already"
        in run(project, "trainbell.cli", "new-provider", "toy").stderr
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("deepva", "there is a provider deepva already"),
        ("local", "there is a provider local already"),
        (LONGEST + "d", "is no name such as"),
        *((bad, "is no name such as") for bad in ("Toy", "1toy", "to-y", "to__y", "_t", "t_", "ü")),
        ("class", "is no name such as"),
    ],
)
def test_a_wrong_name_is_refused_and_nothing_is_made(
    tmp_path: Path, name: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = exit_status(["new-provider", name, "--directory", str(tmp_path / "project")])
    assert code == ExitCode.BAD_INPUT
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_use_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    used = tmp_path / "used"
    used.mkdir()
    (used / "mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for place in (used, tmp_path / "file", tmp_path / "no" / "where"):
        assert exit_status(["new-provider", "toy", "--directory", str(place)]) == 2
        assert str(place) in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "mine", "used"]


def test_nothing_is_left_of_a_project_that_could_not_be_finished(tmp_path: Path) -> None:
    template = tmp_path / "template"
    template.mkdir()
    (template / "1.tmpl").write_text("$name")
    (template / "2.tmpl").write_text("$no_such_word")
    with pytest.raises(KeyError):
        make_project("toy", tmp_path / "project", template)
    assert list(tmp_path.iterdir()) == [template]


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    assert (made("provider", tmp_path) / "pyproject.toml").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_the_wheel_ships_the_templates(tmp_path: Path) -> None:
    said = run(ROOT, "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    assert said.returncode == 0, said.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        shipped = opened.namelist()
    templates = list(CLI.rglob("*.tmpl"))
    assert {path.relative_to(CLI).parts[0] for path in templates} == {
        "channel_template",
        "provider_template",
    }
    for template in templates:
        assert template.relative_to(ROOT / "shared").as_posix() in shipped
