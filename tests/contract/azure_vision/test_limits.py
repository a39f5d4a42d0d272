"""Limits of what Azure AI Vision is asked for, each at its edge and one past it (Models - Create,
and Models - List, which gives at most 30). Lengths of names are Trainbell's own."""

from __future__ import annotations

import pytest

from tests.contract.azure_vision.service import an_evaluation, an_order
from tests.contract.limits import ALNUM, Case, Count, Text
from trainbell.providers.azure_vision.account_calls import ModelsPage, OfEvaluation, OfModel
from trainbell.providers.azure_vision.parameters import EvaluateParameters, TrainParameters

TRAINING = dict(an_order().parameters)
EVALUATION = dict(an_evaluation().parameters)
NAME = Text(1, 255, ALNUM + "._-", first=ALNUM)


def of_kind(model_kind: str) -> dict[str, object]:
    return {**TRAINING, "model_kind": model_kind}


LIMITS = [
    Case(TrainParameters, TRAINING, "model_name", NAME),
    Case(TrainParameters, TRAINING, "training_dataset_name", Text(1, 255)),
    Case(TrainParameters, TRAINING, "test_dataset_name", Text(1, 255)),
    Case(TrainParameters, of_kind("Generic-Classifier"), "time_budget_in_hours", Count(1, 336)),
    Case(TrainParameters, of_kind("Product-Recognizer"), "time_budget_in_hours", Count(1, 336)),
    Case(TrainParameters, of_kind("Generic-Detector"), "time_budget_in_hours", Count(1, 1344)),
    Case(EvaluateParameters, EVALUATION, "model_name", NAME),
    Case(EvaluateParameters, EVALUATION, "evaluation_name", NAME),
    Case(EvaluateParameters, EVALUATION, "test_dataset_name", Text(1, 255)),
    Case(OfModel, {}, "model", NAME),
    Case(OfEvaluation, {"model": "m"}, "evaluation", NAME),
    Case(ModelsPage, {}, "limit", Count(1, 30)),
]


@pytest.mark.parametrize("case", LIMITS, ids=str)
def test_what_is_within_the_limits_is_taken_and_nothing_else(case: Case) -> None:
    assert case.breaches() == []
