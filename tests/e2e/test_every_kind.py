"""`trainbell simulate all --speed 100`, and one job of every kind at every service, by the API."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.builders import FakeClock
from tests.open_secrets import OpenSecrets, allow
from trainbell.cli.app import exit_status
from trainbell.cli.exit_codes import ExitCode
from trainbell.client import JsonObject, Trainbell
from trainbell.embedded.instance import EmbeddedInstance
from trainbell.providers.catalog import Catalog
from trainbell.simulators.__main__ import access, as_text, chosen, names
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET
from trainbell.simulators.datarobot.world import DATASET, MAIN_FILE, MODEL, REPOSITORY, VERSION
from trainbell.simulators.deepva.trainings import FACE_DATASET
from trainbell.simulators.einstein.trainings import IMAGE_DATASET
from trainbell.simulators.lookout_vision.account import PROJECT
from trainbell.simulators.server import listening

TRAINBELL = Path(sys.executable).with_name("trainbell")
SPEED = 100
PATIENCE_SECONDS = 60.0

Parameters = Mapping[str, Any]
Former = Mapping[str, JsonObject]
"""The service's jobs that have ended already, by kind."""


def _of_the_trained_model(former: Former) -> Parameters:
    model = former["train"]["performance"]["artifacts"]["model"]
    return {"modelId": model.rpartition("/")[2], "epochs": 3}


OF_VERSION = {"customModelId": MODEL, "customModelVersionId": VERSION}
JOBS: Mapping[str, Mapping[str, Parameters | Callable[[Former], Parameters]]] = {
    "azure_vision": {
        "train": {
            "model_name": "flowers-1",
            "model_kind": "Generic-Classifier",
            "training_dataset_name": CLASSIFICATION_DATASET,
            "time_budget_in_hours": 1,
        },
        "evaluate": {"model_name": "flowers-1", "test_dataset_name": CLASSIFICATION_DATASET},
    },
    "datarobot": {
        "test": {**OF_VERSION, "datasetId": DATASET},
        "build_dependencies": OF_VERSION,
        "convert": {**OF_VERSION, "mainProgramItemId": MAIN_FILE},
        "feature_impact": {**OF_VERSION, "rowCount": 10_000},
        "explain": OF_VERSION,
        # The simulated model has its training data at the model, not at its versions.
        "assign_training_data": {
            "customModelId": MODEL,
            "datasetId": DATASET,
            "route": "training_data",
        },
        "import_version": {
            "customModelId": MODEL,
            "repositoryId": REPOSITORY,
            "ref": "main",
            "sourcePath": "src/model.py",
            "isMajorUpdate": False,
        },
    },
    "deepva": {"train": {"source_dataset_id": FACE_DATASET, "output_model_name": "faces"}},
    "einstein": {
        "train": {"datasetId": IMAGE_DATASET, "name": "beach or mountain", "epochs": 3},
        "retrain": _of_the_trained_model,
    },
    "lookout_vision": {
        "train": {
            "ProjectName": PROJECT,
            "OutputConfig": {"S3Location": {"Bucket": "lookout-results"}},
        }
    },
    "sagemaker": {
        "train": {
            "AlgorithmSpecification": {
                "TrainingImage": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/faces:1",
                "TrainingInputMode": "File",
            },
            "RoleArn": "arn:aws:iam::123456789012:role/training",
            "OutputDataConfig": {"S3OutputPath": "s3://models/out"},
            "ResourceConfig": {
                "InstanceType": "ml.g5.xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 50,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }
    },
}
"""By provider and kind, in the order in which they run. What a job needs of those before it, it
takes from them."""


@contextmanager
def simulated(*wanted: str, port: int = 0) -> Iterator[list[JsonObject]]:
    """`trainbell simulate` as a process; what it says of each service. Ends by Ctrl-C."""
    options = ["--speed", str(SPEED), "--port", str(port), "--json"]
    command = [str(TRAINBELL), "simulate", *wanted, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        count = len(names()) if wanted == ("all",) else len(wanted)
        try:
            yield [json.loads(process.stdout.readline()) for _ in range(count)]
        finally:
            process.send_signal(signal.SIGINT)
            ended = process.wait(15)
    assert ended == ExitCode.DETACHED


def test_every_kind_that_can_be_simulated_has_a_job_here() -> None:
    class NoSecrets(OpenSecrets):
        def read(self, reference: str) -> str:
            raise AssertionError(f"listing the kinds reads no {reference}")

    catalog = Catalog(NoSecrets(), FakeClock())
    documented = {
        name: set(catalog.spec(name).kinds) for name in catalog.names() if name in names()
    }
    assert {name: set(jobs) for name, jobs in JOBS.items()} == documented


@pytest.mark.e2e
@pytest.mark.timeout(120)
def test_one_job_of_every_kind_at_every_simulated_service_ends_rightly(tmp_path: Path) -> None:
    with (
        simulated("all") as services,
        EmbeddedInstance(tmp_path / "data", port=0) as instance,
        Trainbell(instance.url, token=instance.token) as client,
    ):
        for service in services:
            _connect(client, service, tmp_path / service["provider"])
        ended = _run_all(client, [service["provider"] for service in services])
        counters = {s["provider"]: _counters(s["base_url"]) for s in services}
    assert {name: set(jobs) for name, jobs in ended.items()} == {n: set(j) for n, j in JOBS.items()}
    for provider, jobs in ended.items():
        wrong = {kind: job for kind, job in jobs.items() if job["state"] != "succeeded"}
        assert not wrong, provider
        assert all(job["vendor_status"] and job["handle"] for job in jobs.values())
        # Once each, counted by the service itself.
        assert sorted(counters[provider]["starts"].values()) == [1] * len(jobs), provider


def _connect(client: Trainbell, service: JsonObject, secret: Path) -> None:
    secret.write_text(service["secret"])
    secret.chmod(0o600)
    body = {**service, "secret": f"file:{secret}"}
    allow(secret.parent / "data", body)
    client.put("connections", service["provider"], body)
    assert client.test("connections", service["provider"])["ok"]


def _run_all(client: Trainbell, providers: Sequence[str]) -> dict[str, dict[str, JsonObject]]:
    """All services side by side, the kinds of each one after the other."""
    ended: dict[str, dict[str, JsonObject]] = {name: {} for name in providers}
    waiting = {name: list(JOBS[name]) for name in providers}
    active: dict[str, JsonObject] = {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while active or any(waiting.values()):
        for name in providers:
            if name in active:
                active[name] = client.job(active[name]["id"])
                if active[name]["has_ended"]:
                    job = active.pop(name)
                    ended[name][job["kind"]] = job
            elif waiting[name]:
                active[name] = _start(client, name, waiting[name].pop(0), ended[name])
        assert time.monotonic() < deadline, active
        time.sleep(0.05)
    return ended


def _start(client: Trainbell, provider: str, kind: str, former: Former) -> JsonObject:
    wanted = JOBS[provider][kind]
    return client.start(
        {
            "provider": provider,
            "kind": kind,
            "parameters": wanted(former) if callable(wanted) else wanted,
            "min_interval_seconds": 1,
            "max_interval_seconds": 1,
        }
    )


def _counters(base_url: str) -> JsonObject:
    root = httpx.URL(base_url).copy_with(path="/_simulator/counters")
    counted: JsonObject = httpx.get(root, trust_env=False).raise_for_status().json()
    return counted


def _two_free_ports() -> int:
    """The first of two that follow each other."""
    for _ in range(100):
        with listening() as first, suppress(OSError, OverflowError):
            port = int(first.getsockname()[1])
            with listening(port + 1):
                return port
    raise RuntimeError("no two free ports")


@pytest.mark.e2e
def test_several_simulators_take_the_ports_from_one_on_and_end_together() -> None:
    port = _two_free_ports()
    with simulated("deepva", "lookout_vision", port=port) as services:
        assert [service["provider"] for service in services] == ["deepva", "lookout_vision"]
        ports = [httpx.URL(service["base_url"]).port for service in services]
        assert ports == [port, port + 1]
        for service in services:
            assert _counters(service["base_url"])["starts"] == {}
    for each in ports:
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{each}/", trust_env=False)


@pytest.mark.e2e
def test_simulators_begin_together_or_not_at_all(capfd: pytest.CaptureFixture[str]) -> None:
    port = _two_free_ports()
    with listening(port + 1):
        assert exit_status(["simulate", "deepva", "einstein", "--port", str(port)]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == f"port {port + 1} cannot be used: Address already in use\n"
    with listening(port):  # It was given back.
        pass


def test_what_is_printed_can_be_copied() -> None:
    """Of each service a URL, the secret in quotes, and the commands that allow it to go there
    and make a connection."""
    for name in names():
        url, rest = as_text(name, "http://127.0.0.1:1", access(name)).split("\n", 1)
        words = shlex.split(rest)
        keep, bound, put = words[:8], words[8:16], words[16:]
        assert url == "http://127.0.0.1:1"
        assert keep[5] == access(name).secret
        assert bound[:3] == ["trainbell", "secrets", "allow"]
        assert bound[3] == put[-1]
        assert bound[4:] == ["--provider", name, "--host", "127.0.0.1:1"]
        assert put[:6] == ["trainbell", "connections", "put", name, "--provider", name]
        assert put[-2:] == ["--secret", f"file:$PWD/{keep[-1].rstrip(')')}"]


def test_a_service_is_simulated_once_however_often_it_is_named() -> None:
    assert chosen(["deepva", "deepva"]) == ["deepva"]
    assert chosen(["deepva", "all"]) == names()
    with pytest.raises(ValueError, match="'slack' is none of: "):
        chosen(["slack"])
