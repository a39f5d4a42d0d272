"""Start, poll, cancel, delete and logs at each service: by the API of an embedded Trainbell, and by
that of the deployed stack. The same steps, whichever it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.doors.engines import Engine, Job, Service, connected
from tests.e2e.test_every_kind import JOBS
from trainbell.client import ApiProblem
from trainbell.simulators.datarobot.world import MODEL, VERSION
from trainbell.simulators.lookout_vision.account import PROJECT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

NEVER_BY_ITSELF = 10_000_000.0
OF_VERSION = {"customModelId": MODEL, "customModelVersionId": VERSION}


def asked(service: Service, kind: str) -> Mapping[str, Any]:
    given = JOBS[service.name][kind]
    assert not callable(given)
    return given


def ended(service: Service, job: Job) -> Job:
    return service.until(job, lambda seen: seen["has_ended"])


def succeeded(service: Service, job: Job) -> None:
    end = ended(service, job)
    assert (end["state"], end["end_reason"]) == ("succeeded", "completed"), end
    assert end["performance"]["metrics"] or end["performance"]["cost"] or end["handle"]


def cancelled(service: Service, job: Job) -> None:
    """Asked for while it runs, and confirmed by the service."""
    service.until(job, lambda seen: seen["state"] == "running")
    said = service.client.cancel(job["id"])
    assert (said["state"], said["may_still_cost"]) == ("cancelling", True)
    end = ended(service, job)
    assert (end["state"], end["end_reason"]) == ("cancelled", "cancel_confirmed")
    assert not end["may_still_cost"]


def cannot_be_cancelled(service: Service, job: Job) -> None:
    with pytest.raises(ApiProblem, match="cancel") as refused:
        service.client.cancel(job["id"])
    assert refused.value.status == 409


def gone(service: Service, call: str, **which: Any) -> None:
    with pytest.raises(ApiProblem) as refused:
        service.ask(call, **which)
    assert refused.value.document["type"] == "urn:trainbell:provider-job-missing"


@pytest.mark.feature("A1", "A4", "A5", "A9", "A10", does="start poll cancel delete ask")
def test_azure_vision(anywhere: Engine) -> None:
    with connected(anywhere, "azure_vision") as azure:
        training = azure.start("train", asked(azure, "train"))
        azure.until(training, lambda seen: seen["handle"] is not None)
        azure.simulator.apply_settings({"plans": [{"working_seconds": NEVER_BY_ITSELF}]})
        endless = {**asked(azure, "train"), "model_name": "endless", "time_budget_in_hours": 336}
        cancelled(azure, azure.start("train", endless))
        succeeded(azure, training)
        evaluation = azure.start("evaluate", asked(azure, "evaluate"))
        succeeded(azure, evaluation)
        handle = azure.client.job(evaluation["id"])["handle"]
        which = {"model": "flowers-1", "evaluation": handle["evaluation"]}
        azure.ask("delete_evaluation", **which)
        gone(azure, "get_evaluation", **which)
        for name in ("flowers-1", "endless"):
            azure.ask("delete_model", model=name)
        assert azure.ask("list_models")["items"] == []


@pytest.mark.feature("L1", "L4", "L8", does="start poll delete ask")
def test_lookout_vision(anywhere: Engine) -> None:
    with connected(anywhere, "lookout_vision") as lookout:
        job = lookout.start("train", asked(lookout, "train"))
        lookout.until(job, lambda seen: seen["handle"] is not None)
        cannot_be_cancelled(lookout, job)
        succeeded(lookout, job)
        which = {"project": PROJECT, "version": "1"}
        assert lookout.ask("get_model", **which)["status"] == "TRAINED"
        lookout.ask("delete_model", **which)
        assert lookout.ask("list_projects")["items"]


@pytest.mark.feature("D1", "D4", does="start poll delete ask")
def test_deepva(anywhere: Engine) -> None:
    with connected(anywhere, "deepva") as deepva:
        job = deepva.start("train", asked(deepva, "train"))
        deepva.until(job, lambda seen: seen["handle"] is not None)
        cannot_be_cancelled(deepva, job)
        succeeded(deepva, job)
        which = deepva.client.job(job["id"])["handle"]
        assert deepva.ask("get_training", **which)["state"] == "completed"
        deepva.ask("delete_training", **which)
        gone(deepva, "get_training", **which)


@pytest.mark.feature("E1", "E5", "E7", does="start poll delete ask")
def test_einstein(anywhere: Engine) -> None:
    with connected(anywhere, "einstein") as einstein:
        job = einstein.start("train", asked(einstein, "train"))
        einstein.until(job, lambda seen: seen["handle"] is not None)
        cannot_be_cancelled(einstein, job)
        succeeded(einstein, job)
        model = einstein.client.job(job["id"])["handle"]["id"]
        retraining = einstein.start("retrain", {"modelId": model, "epochs": 3})
        succeeded(einstein, retraining)
        assert einstein.ask("get_model", model=model)
        einstein.ask("delete_model", model=model)
        gone(einstein, "get_model", model=model)


@pytest.mark.feature("R1", "R2", "R3", "R4", "R8", "R9", does="start poll cancel logs delete ask")
def test_datarobot(anywhere: Engine) -> None:
    with connected(anywhere, "datarobot") as datarobot:
        kinds = ("test", "build_dependencies", "explain")
        jobs = {kind: datarobot.start(kind, asked(datarobot, kind)) for kind in kinds}
        for job in jobs.values():
            succeeded(datarobot, job)
        for kind in ("test", "build_dependencies"):
            assert datarobot.client.logs(jobs[kind]["id"], lines=3)
        datarobot.simulator.apply_settings({"plan": {"running_seconds": NEVER_BY_ITSELF}})
        endless = [datarobot.start(kind, asked(datarobot, kind)) for kind in ("test", "convert")]
        for job in endless:
            cancelled(datarobot, job)
        copy = datarobot.ask("copy_model", customModelId=MODEL)["id"]
        datarobot.ask("delete_model", customModelId=copy)
        gone(datarobot, "get_model", customModelId=copy)


@pytest.mark.feature(does="start poll cancel delete ask")
def test_sagemaker(anywhere: Engine) -> None:
    with connected(anywhere, "sagemaker") as sagemaker:
        trained = sagemaker.start("train", asked(sagemaker, "train"))
        succeeded(sagemaker, trained)
        sagemaker.simulator.apply_settings({"plan": {"working_seconds": NEVER_BY_ITSELF}})
        endless = [sagemaker.start("train", asked(sagemaker, "train")) for _ in range(2)]
        cancelled(sagemaker, endless[0])
        running = sagemaker.until(endless[1], lambda seen: seen["state"] == "running")
        sagemaker.ask("stop_training_job", name=running["handle"]["name"])
        end = ended(sagemaker, running)
        assert (end["vendor_status"], end["state"]) == ("Stopped", "cancelled")
        pages = sagemaker.client.all_at_service(sagemaker.name, "list_training_jobs", limit=1)
        listed = {each["TrainingJobName"]: each["TrainingJobStatus"] for each in pages}
        assert sorted(listed.values()) == ["Completed", "Stopped", "Stopped"]
        name = sagemaker.client.job(trained["id"])["handle"]["name"]
        shown = sagemaker.ask("get_training_job", name=name)
        assert shown["ModelArtifacts"]["S3ModelArtifacts"].startswith("s3://models/out/")
        sagemaker.ask("delete_training_job", name=name)
        gone(sagemaker, "get_training_job", name=name)
