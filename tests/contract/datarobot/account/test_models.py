"""Custom models at DataRobot (R9), by our client and the simulator."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    StartOutcomeUnknown,
)
from trainbell.providers.datarobot.client import DataRobotClient
from trainbell.providers.datarobot.resources.custom_models import ModelFilter
from trainbell.providers.datarobot.resources.fields import (
    ModelChanges,
    NewModel,
)
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.world import (
    DATASET,
    MODEL,
    VERSION,
)
from trainbell.simulators.faults import Fault, FaultKind


def a_model(name: str = "Fraud", **fields: Any) -> NewModel:
    given = {"customModelType": "inference", "targetType": "Binary", "targetName": "is_fraud"}
    return NewModel.model_validate({**given, "name": name, **fields})


def test_R9_create_get_update_copy_delete(client: DataRobotClient) -> None:
    made = client.models.create(a_model(description="first"))
    assert client.models.get(made.id).description == "first"
    changes = ModelChanges.model_validate({"name": "Fraud 2", "maximumMemory": 134_217_728})
    assert client.models.update(made.id, changes).name == "Fraud 2"
    copied = client.models.copy(MODEL)
    assert (copied.name, copied.id != MODEL) == ("Churn (copy)", True)
    assert len(client.versions.list(copied.id).items) == 1
    client.models.delete(made.id)
    with pytest.raises(ProviderJobMissing):
        client.models.get(made.id)
    with pytest.raises(ProviderJobMissing):
        client.models.delete(made.id)


def test_R9_lists_are_ordered_searched_and_filtered(
    client: DataRobotClient, simulator: DataRobotSimulator
) -> None:
    simulator.clock.advance(10)
    old = client.models.create(a_model("Old", language="R")).id
    simulator.clock.advance(10)
    new = client.models.create(a_model("New", description="from OLD data")).id
    task = client.models.create(
        NewModel.model_validate({"name": "T", "customModelType": "training"})
    )
    simulator.clock.advance(10)
    client.models.update(old, ModelChanges.model_validate({"language": "r"}))
    simulator.world.models[new].deployments = 2

    def ids(**wanted: Any) -> list[str]:
        return [model.id for model in client.models.list(ModelFilter(**wanted)).items]

    assert ids() == [task.id, new, old, MODEL]
    assert ids(order="created")[:2] == [MODEL, old]
    assert ids(order="-updated")[0] == old
    assert ids(order="updated")[-1] == old
    assert ids(search="old") == [new, old]
    assert ids(search="PYTHON") == [MODEL]
    assert ids(kind="training") == [task.id]
    assert ids(deployed=True) == [new]
    assert new not in ids(deployed=False)


def test_R9_refusals_are_told_apart(
    client: DataRobotClient, simulator: DataRobotSimulator, http: httpx.Client
) -> None:
    with pytest.raises(ProviderRejected, match="training data") as conflict:
        client.models.update(MODEL, ModelChanges.model_validate({"targetName": "x"}))
    assert conflict.value.http_status == 409
    simulator.world.models[MODEL].deployments = 1
    with pytest.raises(ProviderRejected, match="deployed") as deployed:
        client.models.delete(MODEL)
    assert deployed.value.http_status == 409
    assert isinstance(deployed.value.details, dict)
    assert "/deployments/" in deployed.value.details["link"]
    simulator.world.models[MODEL].deployments = 0
    body = {"customModelId": MODEL, "customModelVersionId": VERSION, "datasetId": DATASET}
    http.post("customModelTests/", json=body)
    with pytest.raises(ProviderRejected, match="being tested"):
        client.models.delete(MODEL)
    with pytest.raises(ProviderRejected, match="targetName is required") as invalid:
        client.models.create(a_model(targetName=None))
    assert invalid.value.http_status == 422


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("name", ["n", "n" * 255], ["", "n" * 256]),
        ("description", ["d" * 10_000], ["d" * 10_001]),
        ("language", ["l" * 500], ["l" * 501]),
        ("targetName", ["t" * 500], ["t" * 501]),
        ("userProvidedId", ["u" * 100], ["u" * 101]),
        ("predictionThreshold", [0.0, 1.0], [-0.01, 1.01]),
        ("replicas", [1, 8], [0, 9]),
        ("maximumMemory", [134_217_728, 15_032_385_536], [134_217_727, 15_032_385_537]),
        ("desiredMemory", [134_217_728, 15_032_385_536], [134_217_727, 15_032_385_537]),
        ("classLabels", [["x"] * 100], [["x"] * 101]),
        ("networkEgressPolicy", ["DR_API_ACCESS"], ["ALL"]),
    ],
)
def test_R9_bounds_of_a_model_here_and_there(
    http: httpx.Client, field: str, good: list[Any], bad: list[Any]
) -> None:
    base = a_model().wire()
    for value in good:
        NewModel.model_validate({**base, field: value})
        assert http.post("customModels/", json={**base, field: value}).status_code == 201
    for value in bad:
        with pytest.raises(ValidationError):
            NewModel.model_validate({**base, field: value})
        answer = http.post("customModels/", json={**base, field: value})
        assert answer.status_code == 422
        assert field in answer.json()["errors"]


def test_R9_a_lost_answer_to_a_create_is_never_sent_again(
    client: DataRobotClient, simulator: DataRobotSimulator
) -> None:
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="POST"))
    with pytest.raises(StartOutcomeUnknown):
        client.models.create(a_model())
    assert simulator.requests["POST"] == 1
    assert len(client.models.list().items) == 2
