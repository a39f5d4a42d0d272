"""Limits of what Einstein is asked for, each at its edge and one past it (train-a-dataset,
retrain-a-dataset; a name has 180 characters, of which Trainbell's marker takes 39)."""

from __future__ import annotations

import pytest

from tests.contract.einstein.service import an_order
from tests.contract.limits import ALNUM, Case, Count, Text, Values
from trainbell.providers.einstein.account_calls import ModelsPage, OfDataset, OfModel
from trainbell.providers.einstein.parameters import (
    EinsteinOptions,
    RetrainParameters,
    TrainParameters,
)
from trainbell.providers.einstein.performance import performance
from trainbell.providers.einstein.vendor_models import Token, Training

TRAINING = dict(an_order().parameters)
LANGUAGE = {**TRAINING, "service": "language"}
RETRAINING = {"modelId": "ABC123"}
DATASET = Count(1, 2**63 - 1)
MODEL = Text(1, 64, ALNUM)
OPTIONS = {"account": "ada@example.com"}
NAMES = Values(["a", "ab", "Beaches and mountains", "é~"], ["", " ", " a", "a ", "a\nb\n"])
SHARE = Values([0.01, 0.99, 1e-9], [0, 0.0, 1, 1.0, -0.1, 1.1])
LIMITS = [
    Case(TrainParameters, TRAINING, "datasetId", DATASET),
    Case(TrainParameters, TRAINING, "name", Text(1, 141)),
    Case(TrainParameters, TRAINING, "name", NAMES),
    Case(TrainParameters, TRAINING, "epochs", Count(1, 1000)),
    Case(TrainParameters, LANGUAGE, "epochs", Count(1, 2**31 - 1)),
    Case(RetrainParameters, RETRAINING, "epochs", Count(1, 1000)),
    Case(
        TrainParameters, TRAINING, "learningRate", Values([0.0001, 0.01], [0.000095, 0.0101, 0.0])
    ),
    Case(TrainParameters, {**TRAINING, "trainParams": {}}, "trainParams.trainSplitRatio", SHARE),
    Case(
        TrainParameters, {**TRAINING, "trainParams": {}}, "trainParams.withGlobalDatasetId", DATASET
    ),
    Case(RetrainParameters, RETRAINING, "modelId", MODEL),
    Case(OfModel, {}, "model", MODEL),
    Case(OfDataset, {}, "dataset", DATASET),
    Case(ModelsPage, {}, "dataset", DATASET),
    Case(
        EinsteinOptions,
        OPTIONS,
        "account",
        Values(
            ["a@b", "~@~", "a" * 252 + "@b", "ada@example.com"],
            ["@b", "ab@", "abc", "a@b@c", "@a@b", "a b@c", " a@b", "a@b ", "a@", "@", "a@b\n"],
        ),
    ),
    Case(EinsteinOptions, OPTIONS, "account", Values(["a" * 252 + "@b"], ["a" * 253 + "@b"])),
    Case(Token, {}, "access_token", Text(1, 4096, "".join(map(chr, range(0x21, 0x7F))))),
    Case(EinsteinOptions, OPTIONS, "token_seconds", Count(60, 2_592_000)),
]


@pytest.mark.parametrize("case", LIMITS, ids=str)
def test_what_is_within_the_limits_is_taken_and_nothing_else(case: Case) -> None:
    assert case.breaches() == []


def test_the_marker_fills_a_longest_name_up_to_the_services_180_characters() -> None:
    given = TrainParameters.model_validate({**TRAINING, "name": "n" * 141})
    assert len(given.form("01jobaaaaaaaaaaaaaaaaaaaaa")["name"]) == 180


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("00:02:28:577", 148.577),
        ("1:00:00", 3600.0),
        ("0001:00:01:5", 3601.005),
        ("100:00:00:57", 360000.057),
        ("00001:00:00", None),
        ("01:00:00:5777", None),
        (":00:00", None),
        ("01:0:00", None),
        ("01:00:0", None),
        ("01:000:00", None),
        ("01:00:000", None),
        ("01:00:00:", None),
    ],
)
def test_a_duration_is_hours_minutes_seconds_and_perhaps_milliseconds(
    written: str, seconds: float | None
) -> None:
    training = Training.model_validate(
        {"modelId": "A", "status": "SUCCEEDED", "trainStats": {"totalTime": written}}
    )
    assert performance(training).cost.get("total_seconds") == seconds
