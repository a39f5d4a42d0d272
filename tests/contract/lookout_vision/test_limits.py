"""Limits of what Lookout for Vision is asked for, each at its edge and one past it: the lengths and
patterns of the service's API model (2020-11-20)."""

from __future__ import annotations

import json

import pytest

from tests.contract.limits import ALNUM, Case, Items, Limit, Text, Values
from tests.contract.lookout_vision.service import answering, given, sample
from trainbell.errors import ConfigInvalid, ProviderJobMissing
from trainbell.providers.lookout_vision.account_calls import (
    ModelsPage,
    OfResource,
    OfVersion,
    ProjectsPage,
)
from trainbell.providers.lookout_vision.parameters import TrainParameters
from trainbell.providers.lookout_vision.signing import keys_in
from trainbell.providers.lookout_vision.vendor_models import Model

WORD = ALNUM + "_-"
LETTERS = "aZéäß語09½ \u00a0_.:/=+-@"
TAGGED = given(Tags=[{"Key": "k", "Value": "v"}])
PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
KEYS = {"access_key_id": "AKIA", "secret_access_key": "s"}
VERSION = Values(
    ["1", "9", "10", "19", "1" + "0" * 9], ["", "0", "01", "~1", "1~", "a", "1a", "1" + "0" * 10]
)
LIMITS = [
    Case(TrainParameters, given(), "ProjectName", Text(1, 255, WORD, first=ALNUM)),
    Case(TrainParameters, given(), "Description", Text(1, 500, ALNUM + ".-_")),
    Case(TrainParameters, given(), "KmsKeyId", Text(1, 2048, ALNUM + ":_/+=,@.-", first=ALNUM)),
    Case(TrainParameters, given(), "OutputConfig.S3Location.Bucket", Text(3, 63, ALNUM + ".-_")),
    Case(
        TrainParameters,
        given(),
        "OutputConfig.S3Location.Prefix",
        Text(0, 1024, ALNUM + "!_.*'()-/", first=ALNUM + "!_.*'()-"),
    ),
    Case(TrainParameters, given(), "Tags", Items(0, 200, lambda n: {"Key": f"k{n}", "Value": ""})),
    Case(TrainParameters, TAGGED, "Tags.0.Key", Text(1, 128, LETTERS)),
    Case(TrainParameters, TAGGED, "Tags.0.Value", Text(0, 256, LETTERS)),
    Case(ProjectsPage, {}, "next_token", Text(1, 2048)),
    Case(ModelsPage, {}, "project", Text(1, 255, WORD)),
    Case(OfVersion, {"version": "1"}, "project", Text(1, 255, WORD)),
    Case(OfVersion, {"project": "p"}, "version", VERSION),
    Case(Model, {"Status": "TRAINED"}, "ModelVersion", VERSION),
    Case(
        OfResource,
        {},
        "arn",
        Values(
            ["arn:~", "arn:aws:x", "arn:" + "a" * 1007],
            ["arn:", "arn: ", "arn:a b", "xarn:a", "arn:a\n", "a", "", "arn:" + "a" * 1008],
        ),
    ),
]


@pytest.mark.parametrize("case", LIMITS, ids=str)
def test_what_is_within_the_limits_is_taken_and_nothing_else(case: Case) -> None:
    assert case.breaches() == []


@pytest.mark.parametrize(
    ("member", "limit"),
    [
        ("access_key_id", Text(1, 128, ALNUM + "_")),
        ("secret_access_key", Text(1, 256, PRINTABLE)),
        ("session_token", Text(1, 8192, PRINTABLE)),
    ],
)
def test_L7_keys_are_of_the_form_that_aws_gives_them(member: str, limit: Text) -> None:
    for taken in limit.taken():
        assert taken in keys_in(json.dumps({**KEYS, member: taken}), "env:KEYS")
    for refused in limit.refused():
        with pytest.raises(ConfigInvalid, match=member):
            keys_in(json.dumps({**KEYS, member: refused}), "env:KEYS")


def test_a_handle_names_a_project_and_a_version() -> None:
    """Nothing else is put into a URL."""
    lookout = answering(sample("model_trained.json"))
    project = Text(1, 255, WORD, first=ALNUM)
    limits: list[tuple[str, Limit]] = [("project", project), ("version", VERSION)]
    for key, limit in limits:
        for taken in limit.taken():
            lookout.poll({"project": "p", "version": "1", key: taken})
        for refused in limit.refused():
            with pytest.raises(ProviderJobMissing, match="names no project"):
                lookout.poll({"project": "p", "version": "1", key: refused})
