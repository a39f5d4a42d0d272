"""What is checked before anything goes to Einstein (E2), and training parameters (E3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.einstein.service import JOB, a_retraining, an_order
from trainbell.errors import (
    ProviderRejected,
)
from trainbell.providers.einstein import PROVIDER
from trainbell.providers.einstein.parameters import (
    MAX_NAME,
    MAX_SENT_NAME,
    RetrainParameters,
    TrainParameters,
)
from trainbell.providers.einstein.provider import Einstein
from trainbell.simulators.einstein import EinsteinSimulator
from trainbell.simulators.einstein.trainings import (
    DETECTION_DATASET,
    GLOBAL_DATASET,
    INTENT_DATASET,
)

# ---------------------------------------------------------------- E2: what is checked before


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("epochs", [1, 1000], [0, 1001, "20", 20.5, True]),
        ("learningRate", [0.0001, 0.01], [0.00009, 0.0101, "0.001"]),
        ("service", ["vision"], ["speech", "", None]),
    ],
)
@pytest.mark.parametrize(
    ("model", "required"),
    [(TrainParameters, an_order().parameters), (RetrainParameters, {"modelId": "ABC123"})],
)
def test_E2_bounds_of_what_both_kinds_take(
    model: type[TrainParameters], required: dict[str, Any], field: str, good: Any, bad: Any
) -> None:
    for value in good:
        model.model_validate({**required, field: value})
    for value in bad:
        with pytest.raises(ValueError, match=field):
            model.model_validate({**required, field: value})


@pytest.mark.parametrize(
    ("service", "algorithm", "takes"),
    [
        ("vision", "object-detection", True),
        ("vision", "object-detection-v1", True),
        ("vision", "object-detection-v2", True),
        ("vision", "retail-execution", True),
        ("vision", "multilingual-intent", False),
        ("language", "intent", True),
        ("language", "multilingual-intent", True),
        ("language", "multilingual-intent-ood", True),
        ("language", "object-detection", False),
        ("language", "object-detection-v2", False),
        ("language", "best", False),
    ],
)
def test_E2_algorithms_are_of_their_service(service: str, algorithm: str, takes: bool) -> None:
    given = {**an_order().parameters, "service": service, "algorithm": algorithm}
    if takes:
        TrainParameters.model_validate(given)
        return
    with pytest.raises(ValueError, match="algorithm"):
        TrainParameters.model_validate(given)


@pytest.mark.parametrize(
    ("model", "required"),
    [(TrainParameters, an_order().parameters), (RetrainParameters, {"modelId": "ABC123"})],
)
def test_E2_epochs_of_language_have_no_documented_bound(
    model: type[TrainParameters], required: dict[str, Any]
) -> None:
    taken = model.model_validate({**required, "service": "language", "epochs": 1001})
    assert taken.epochs == 1001
    with pytest.raises(ValueError, match="epochs: Einstein vision takes 1 to 1000"):
        model.model_validate({**required, "service": "vision", "epochs": 1001})


def test_E2_a_detection_dataset_is_trained_with_version_2(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    """metamind.readme.io, retrain-a-dataset: object-detection-v2 needs as few as 50 boxes."""
    handle = einstein.start(an_order(datasetId=DETECTION_DATASET, algorithm="object-detection-v2"))
    assert simulator.account.models[handle["id"]].latest.algorithm == "object-detection-v2"


def test_E2_many_epochs_of_language_reach_the_service(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    handle = einstein.start(an_order(service="language", datasetId=INTENT_DATASET, epochs=1001))
    assert simulator.account.models[handle["id"]].latest.epochs == 1001


def test_it_says_that_vision_is_retired_since_when_and_who_says_so() -> None:
    status = PROVIDER.service
    assert (status.state, status.as_of) == ("retired", "2023-07-31")
    assert (
        '"As of July 31, 2023, Salesforce no longer offers the Object Detection and Image '
        'Classification APIs"'
    ) in status.note
    assert status.source == "https://blog.heroku.com/einstein-vision-image-recognition"


@pytest.mark.parametrize("given", [{"algorithm": "object-detection"}, {"service": "language"}])
def test_E2_no_learning_rate_for_detection_and_language(
    einstein: Einstein, simulator: EinsteinSimulator, given: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="learningRate: neither"):
        TrainParameters.model_validate({**an_order().parameters, "learningRate": 0.001, **given})
    model = simulator.account.add_model(DETECTION_DATASET, "Old")
    with pytest.raises(ProviderRejected, match="detection model"):
        einstein.start(a_retraining(model.id, learningRate=0.001))
    assert not simulator.starts


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("name", ["x", "x" * MAX_NAME], ["", " x", "x" * (MAX_NAME + 1), "[trainbell:01other]"]),
        ("datasetId", [1, 2**63 - 1], [0, 2**63, "57", True, None]),
    ],
)
def test_E2_bounds_of_train(field: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        TrainParameters.model_validate({**an_order().parameters, field: value})
    for value in bad:
        with pytest.raises(ValueError, match=field):
            TrainParameters.model_validate({**an_order().parameters, field: value})


@pytest.mark.parametrize("model_id", ["", "../x", "A B", "x" * 65, 7])
def test_E2_a_model_id_is_letters_and_digits(model_id: Any) -> None:
    with pytest.raises(ValueError, match="modelId"):
        RetrainParameters.model_validate({"modelId": model_id})


def test_E2_all_that_was_asked_for_arrives(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    handle = einstein.start(an_order(epochs=1000, learningRate=0.0001, name="x" * MAX_NAME))
    model = simulator.account.models[handle["id"]]
    assert (model.latest.epochs, model.latest.learning_rate) == (1000, 0.0001)
    assert len(model.name) == MAX_SENT_NAME
    detection = einstein.start(
        an_order(datasetId=DETECTION_DATASET, algorithm="object-detection-v1")
    )
    assert simulator.account.models[detection["id"]].latest.algorithm == "object-detection-v1"


def test_E2_parameters_are_kept_and_shown_as_the_service_spells_them() -> None:
    given = {**an_order().parameters, "trainParams": {"withFeedback": True}, "epochs": 3}
    kept = TrainParameters.model_validate(given).model_dump(mode="json", exclude_unset=True)
    assert kept == given
    schema = PROVIDER.kinds["train"].parameters.model_json_schema()
    assert "vision: 1 to 1000" in schema["properties"]["epochs"]["description"]
    assert PROVIDER.dataset_of
    assert PROVIDER.model_of
    assert (PROVIDER.dataset_of(kept), PROVIDER.model_of(kept)) == ("57", "Beaches")
    assert PROVIDER.dataset_of({"modelId": "M"}) is None
    assert PROVIDER.model_of({"modelId": "M"}) == "M"


# ---------------------------------------------------------------- E3: trainParams


PARAMS = {"withFeedback": True, "trainSplitRatio": 0.7, "withGlobalDatasetId": GLOBAL_DATASET}


@pytest.mark.parametrize("as_text", [False, True])
def test_E3_train_params_go_there_and_come_back_with_the_job(
    einstein: Einstein, simulator: EinsteinSimulator, as_text: bool
) -> None:
    """The vendor's documents disagree on whether they come as an object or as text."""
    simulator.account.as_text = as_text
    handle = einstein.start(an_order(trainParams=PARAMS))
    assert simulator.account.models[handle["id"]].latest.train_params == PARAMS
    seen = einstein.poll(handle)
    assert seen.message == (
        f"image model Beaches [trainbell:{JOB}] on dataset 57 "
        "(withFeedback True, trainSplitRatio 0.7, withGlobalDatasetId 1000)"
    )
    assert seen.performance.artifacts == {
        "model": f"einstein:models/{handle['id']}",
        "dataset": "einstein:datasets/57",
        "global_dataset": "einstein:datasets/1000",
    }


@pytest.mark.parametrize(
    "params",
    [
        {"withFeedback": "yes"},
        {"trainSplitRatio": 0.0},
        {"trainSplitRatio": 1.0},
        {"withGlobalDatasetId": 0},
        {"noSuchThing": 1},
    ],
)
def test_E3_bounds_of_train_params(params: dict[str, Any]) -> None:
    TrainParameters.model_validate({**an_order().parameters, "trainParams": PARAMS})
    with pytest.raises(ValueError, match=f"trainParams.{next(iter(params))}"):
        TrainParameters.model_validate({**an_order().parameters, "trainParams": params})
