"""What a training at Lookout for Vision is given (L3)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.contract.lookout_vision.service import JOB, OTHER_JOB, OUTPUT, an_order, given
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderAuthFailed,
)
from trainbell.providers.lookout_vision.parameters import ROOM_FOR_MARKER, TrainParameters
from trainbell.providers.lookout_vision.provider import LookoutVision
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.account import PROJECT


def test_L3_description_key_place_and_tags_reach_the_service(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab"
    tags = [{"Key": "team", "Value": "quality"}, {"Key": "größe", "Value": ""}]
    order = an_order(Description="first-run", KmsKeyId=key, Tags=tags)
    model = simulator.account.model(
        simulator.account.projects[PROJECT], lookout.start(order)["version"]
    )
    assert model.given == {
        "Description": f"first-run.trainbell-{JOB}",
        "KmsKeyId": key,
        "OutputConfig": OUTPUT,
        "Tags": tags,
    }
    assert lookout.client.tags(model.arn) == {"team": "quality", "größe": ""}


def with_tag(key: object, value: object = "v") -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value}]}


def with_place(**place: object) -> dict[str, Any]:
    return {"OutputConfig": {"S3Location": {"Bucket": "lookout-results", **place}}}


def many_tags(count: int) -> dict[str, Any]:
    return {"Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(count)]}


@pytest.mark.parametrize(
    "parameters",
    [
        {"Description": "x"},
        {"Description": "x" * 500},
        {"Description": "a.b-c_9"},
        {"KmsKeyId": "a"},
        {"KmsKeyId": "a" * 2048},
        {"KmsKeyId": "alias/key:1_2+3=4,5@6.7-8"},
        with_place(Bucket="abc"),
        with_place(Bucket="a" * 63),
        with_place(Bucket="A.b-c_9"),
        with_place(Prefix=""),
        with_place(Prefix="a" * 1024),
        with_place(Prefix="!_.*'()-/a"),
        {"Tags": []},
        many_tags(200),
        with_tag("k" * 128, "v" * 256),
        with_tag("schlüssel 1_.:/=+-@", ""),
        {**many_tags(200), "Description": "x" * (500 - ROOM_FOR_MARKER)},
        {**many_tags(199), "Description": "x" * 500},
    ],
)
def test_L3_documented_bounds_hold(
    lookout: LookoutVision, simulator: LookoutVisionSimulator, parameters: dict[str, Any]
) -> None:
    """Here, and at the service, whose own checks are written apart."""
    order = an_order(**parameters)
    handle = lookout.start(order)
    assert lookout.find(order) == handle
    assert lookout.find(an_order(OTHER_JOB, **parameters)) is None
    assert lookout.poll(handle).state is State.RUNNING
    assert simulator.starts == {JOB: 1}


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({"Description": ""}, "Description"),
        ({"Description": "x" * 501}, "Description"),
        ({"Description": "two words"}, "Description"),
        ({"Description": f"copied.trainbell-{OTHER_JOB}"}, "Description"),
        ({"KmsKeyId": ""}, "KmsKeyId"),
        ({"KmsKeyId": "a" * 2049}, "KmsKeyId"),
        ({"KmsKeyId": "-a"}, "KmsKeyId"),
        ({"KmsKeyId": "a b"}, "KmsKeyId"),
        ({"OutputConfig": None}, "OutputConfig"),
        ({"OutputConfig": {}}, "OutputConfig.S3Location"),
        ({"OutputConfig": {"S3Location": {}}}, "OutputConfig.S3Location.Bucket"),
        (with_place(Bucket="ab"), "OutputConfig.S3Location.Bucket"),
        (with_place(Bucket="a" * 64), "OutputConfig.S3Location.Bucket"),
        (with_place(Bucket="a/b"), "OutputConfig.S3Location.Bucket"),
        (with_place(Prefix="a" * 1025), "OutputConfig.S3Location.Prefix"),
        (with_place(Prefix="/a"), "OutputConfig.S3Location.Prefix"),
        (with_place(Prefix="a b"), "OutputConfig.S3Location.Prefix"),
        (with_place(Region="eu-west-1"), "OutputConfig.S3Location.Region"),
        (many_tags(201), "Tags"),
        (with_tag(""), "Tags.0.Key"),
        (with_tag("k" * 129), "Tags.0.Key"),
        (with_tag("k#"), "Tags.0.Key"),
        (with_tag("k", "v" * 257), "Tags.0.Value"),
        (with_tag("k", "50%"), "Tags.0.Value"),
        (with_tag("k", None), "Tags.0.Value"),
        (with_tag("trainbell:job"), "Tags"),
        ({"Tags": [{"Key": "k"}]}, "Tags.0.Value"),
        ({**many_tags(200), "Description": "x" * (501 - ROOM_FOR_MARKER)}, ""),
    ],
)
def test_L3_one_past_each_bound_is_refused(parameters: dict[str, Any], path: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TrainParameters.model_validate(given(**parameters))
    assert [".".join(map(str, e["loc"])) for e in raised.value.errors()] == [path]


def test_L3_all_problems_are_named_at_once() -> None:
    wrong = {"ProjectName": "-", "Description": "", "KmsKeyId": "", "OutputConfig": {}, "Epochs": 3}
    with pytest.raises(ValidationError) as raised:
        TrainParameters.model_validate(wrong)
    assert {str(e["loc"][0]) for e in raised.value.errors()} == set(wrong)


def test_L3_parameters_that_were_stored_read_as_they_were_given() -> None:
    parameters = given(Description="x", Tags=[{"Key": "k", "Value": "v"}])
    stored = TrainParameters.model_validate(parameters).model_dump(mode="json", exclude_unset=True)
    assert stored == parameters


def test_L3_a_long_description_leaves_its_mark_in_a_tag(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    long = "x" * (501 - ROOM_FOR_MARKER)
    handles = [lookout.start(an_order(job, Description=long)) for job in (JOB, OTHER_JOB)]
    arn = lookout.client.model(PROJECT, "1").model_arn
    assert arn is not None
    assert lookout.client.tags(arn) == {"trainbell:job": JOB}
    assert [lookout.find(an_order(job, Description=long)) for job in (JOB, OTHER_JOB)] == handles


def test_L3_tags_ask_for_a_permission_that_a_plain_start_does_not_need(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    simulator.apply_settings({"denied": ["TagResource", "ListTagsForResource"]})
    with pytest.raises(ProviderAuthFailed, match="TagResource"):
        lookout.start(an_order(OTHER_JOB, Tags=[{"Key": "k", "Value": "v"}]))
    assert lookout.start(an_order()) == lookout.find(an_order())
