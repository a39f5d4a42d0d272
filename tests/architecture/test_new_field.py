"""A new field of an order is named in few files, and reaches everything from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# The files of CONTRIBUTING's list, and what `note: str` adds to each.
FIELD: dict[str, tuple[str, str]] = {
    "domain/order.py": (
        "    dataset: str | None = None\n",
        "    dataset: str | None = None\n    note: str | None = None\n",
    ),
    "use_cases/jobs/job_request.py": (
        "    dataset: Label | None = None\n",
        "    dataset: Label | None = None\n    note: Label | None = None\n",
    ),
    "views/job.py": (
        "    dataset: str | None\n    model: str | None\n    tags",
        "    dataset: str | None\n    note: str | None\n    model: str | None\n    tags",
    ),
    "cli/order_options.py": (
        "            dataset=self.dataset,\n",
        "            dataset=self.dataset,\n            note=self.note,\n",
    ),
    "cli/job_page.py": (
        '    yield "dataset", job["dataset"]\n',
        '    yield "dataset", job["dataset"]\n    yield "note", job["note"]\n',
    ),
}
OPTION = (
    "    model: Annotated[str",
    """    note: Annotated[str | None, typer.Option(help="For people.")] = None
    model: Annotated[str""",
)

SCRIPT = """
import sys
from io import StringIO
from pathlib import Path
from rich.console import Console
from tests.builders import FakeClock, a_caller
from tests.toy_service import ToyService, a_trainbell
from trainbell.channels.cloud_event import cloud_event
from trainbell.cli.job_page import job_page
from trainbell.cli.order_options import OrderOptions
from trainbell.domain.settings import Schedule
from trainbell.ports import Notice, StartOrder
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.jobs.retry_job import retry_job
from trainbell.use_cases.schedules.configure_schedules import put_schedule
from trainbell.use_cases.schedules.run_schedule import run_schedule
from trainbell.views.job import job_view

clock = FakeClock()
service = ToyService(clock)
services = a_trainbell(SqliteStore(Path(sys.argv[1])), service)
body = OrderOptions(provider="toy", note="for Ada").body()
job, _ = request_job(services, body, by=a_caller())
assert StartOrder.of(job).note == "for Ada"
advance_job(services, job.id)
service.set_all("failed")
clock.advance(60)
ended = advance_job(services, job.id).job
again, _ = retry_job(services, ended.id, by=a_caller())
put_schedule(services, "night", {"expression": "rate(1 days)", "job": body})
clock.advance(86_400)
due = services.store.list_config(Schedule)
planned = run_schedule(services, "night", due.items[0].next_due_at)
for each in (ended, again, planned):
    view = job_view(services.store.get(each.id), clock.now(), None)
    assert view.note == "for Ada", each
event = services.store.events(ended.id, limit=100).items[-1]
told = cloud_event(Notice(id="n", event=event, job=ended))
assert told["data"]["job"]["note"] == "for Ada"
page = Console(file=StringIO(), width=100)
page.print(job_page(view.model_dump(mode="json")))
assert "for Ada" in page.file.getvalue()
"""


def test_a_new_field_is_named_in_five_files_and_is_everywhere(tmp_path: Path) -> None:
    package = tmp_path / "shared" / "trainbell"
    shutil.copytree(
        ROOT / "shared" / "trainbell", package, ignore=shutil.ignore_patterns("__pycache__")
    )
    for name, (old, new) in [*FIELD.items(), ("cli/order_options.py", OPTION)]:
        text = (package / name).read_text()
        assert old in text, name
        (package / name).write_text(text.replace(old, new, 1))
    path = os.pathsep.join([str(tmp_path / "shared"), str(ROOT)])
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "jobs.sqlite3")],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
