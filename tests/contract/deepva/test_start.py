"""Starts at DeepVA: calls (D1), config (D2), output model (D3), the dataset (D6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import OneSecret
from tests.contract.deepva.service import JOB, a_provider, an_order, polled
from trainbell.errors import (
    NotSupported,
    ProviderJobMissing,
    ProviderRejected,
)
from trainbell.ports import Provider
from trainbell.providers.deepva import PROVIDER
from trainbell.providers.deepva.parameters import TrainParameters
from trainbell.providers.deepva.provider import DeepVA
from trainbell.simulators.deepva import DeepVASimulator
from trainbell.simulators.deepva.service import API_KEY
from trainbell.simulators.deepva.trainings import FACE_DATASET, LANDMARK_DATASET

# ---------------------------------------------------------------- D1: start, get, list, delete


def test_D1_start_get_list_delete(deepva: DeepVA, simulator: DeepVASimulator) -> None:
    handle = deepva.start(an_order())
    assert deepva.client.training(handle["id"]).output_model_name == "Faces"
    assert [t.id for t in deepva.client.trainings().data] == [handle["id"]]
    with pytest.raises(ProviderRejected, match="waiting"):
        deepva.delete(handle)
    simulator.account.end_now(handle["id"])
    deepva.delete(handle)
    with pytest.raises(ProviderJobMissing):
        deepva.poll(handle)
    with pytest.raises(ProviderJobMissing):
        deepva.delete(handle)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("place", [0, 99, 100, 215, 229])
def test_D1_the_list_is_read_to_its_end_by_offset(
    deepva: DeepVA, simulator: DeepVASimulator, place: int, newest_first: bool
) -> None:
    """Its `next` links are on http:// and to another host in the samples: none is followed."""
    simulator.newest_first = newest_first
    given = {**TrainParameters.model_validate(an_order().parameters).model_dump(), "config": {}}
    for number in range(230):
        marked = f"[trainbell:{JOB}]" if number == place else f"other {number}"
        simulator.account.start({**given, "output_model_changelog": marked})
    wanted = list(simulator.account.trainings)[place]
    assert deepva.find(an_order()) == {"id": wanted}
    assert deepva.find(an_order("01jobbbbbbbbbbbbbbbbbbbbbb")) is None
    assert simulator.requests["GET"] <= 6


# ---------------------------------------------------------------- D2: config by dataset type


def test_D2_a_face_training_takes_its_two_parameters(
    deepva: DeepVA, simulator: DeepVASimulator
) -> None:
    config = {"min_face_size": 64, "sharpness_threshold": 10}
    handle = deepva.start(an_order(config=config))
    assert simulator.account.trainings[handle["id"]].given["config"] == config


def test_D2_a_landmark_training_takes_none(deepva: DeepVA, simulator: DeepVASimulator) -> None:
    handle = deepva.start(an_order(source_dataset_id=LANDMARK_DATASET))
    assert simulator.account.trainings[handle["id"]].given["config"] == {}
    with pytest.raises(ProviderRejected, match="400") as raised:
        deepva.start(
            an_order(source_dataset_id=LANDMARK_DATASET, config={"sharpness_threshold": 1})
        )
    assert raised.value.details == {"config": ["Not valid for landmark: sharpness_threshold."]}


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("min_face_size", [1, 10_000], [0, 10_001, "80", 80.5, True]),
        ("sharpness_threshold", [0, 1000], [-1, 1001, "40"]),
    ],
)
def test_D2_bounds_of_the_face_config(field: str, good: list[Any], bad: list[Any]) -> None:
    parameters = an_order().parameters
    for value in good:
        TrainParameters.model_validate({**parameters, "config": {field: value}})
    for value in bad:
        with pytest.raises(ValueError, match=field):
            TrainParameters.model_validate({**parameters, "config": {field: value}})


# ---------------------------------------------------------------- D3: the output model


def test_D3_each_training_adds_a_version_with_its_changelog(
    deepva: DeepVA, simulator: DeepVASimulator
) -> None:
    for number in (1, 2):
        order = an_order(f"{JOB[:-1]}{number}", output_model_changelog=f"change {number}")
        handle = deepva.start(order)
        assert "output_model" not in deepva.poll(handle).performance.artifacts
        simulator.account.end_now(handle["id"])
        performance = deepva.poll(handle).performance
        model = next(iter(simulator.account.models))
        assert performance.artifacts["output_model"] == f"deepva:models/{model}"
    versions = simulator.account.versions[model]
    assert [v["version_number"] for v in versions] == [1, 2]
    assert [v["changelog"].partition("] ")[2] for v in versions] == ["change 1", "change 2"]


def test_D3_dataset_and_model_of_the_parameters() -> None:
    assert PROVIDER.dataset_of
    assert PROVIDER.model_of
    parameters = an_order().parameters
    assert PROVIDER.dataset_of(parameters) == FACE_DATASET
    assert PROVIDER.model_of(parameters) == "Faces"
    assert PROVIDER.model_of({"output_model_name": 7}) is None


# ---------------------------------------------------------------- D6: the dataset as an object


def test_D6_the_input_dataset_is_kept() -> None:
    seen = polled()
    assert seen.message == "face training on dataset Test (version 1.0)"
    assert seen.performance.artifacts == {
        "source_dataset": "deepva:datasets/b97e20c8-3e68-4831-8eaf-e7a592d3a802",
        "source_dataset_name": "Test",
        "source_dataset_type": "face",
        "source_dataset_version": "1.0",
    }


# ---------------------------------------------------------------- what it lacks, and its key


def test_it_says_in_clear_words_what_the_service_cannot_do(deepva: DeepVA) -> None:
    with pytest.raises(NotSupported, match="DeepVA has no call to cancel a training"):
        deepva.cancel({"id": "x"})
    assert not PROVIDER.can_cancel


def test_a_key_that_was_mended_at_its_source_works_without_a_restart(
    base_url: str, made: list[Provider]
) -> None:
    secret = OneSecret("old-key")
    made.append(provider := a_provider(base_url, secret))
    with pytest.raises(Exception, match="401"):
        provider.check()
    secret.secret = API_KEY
    assert provider.check() == "DeepVA answered: 0 trainings in this account"


@pytest.mark.parametrize("handle", [{}, {"id": ""}, {"id": 7}, {"id": ".."}])
def test_a_handle_without_an_id_is_of_no_job(deepva: DeepVA, handle: dict[str, Any]) -> None:
    with pytest.raises(ProviderJobMissing):
        deepva.poll(handle)
