"""Limits of what DeepVA is asked for, each at its edge and one past it. The service documents none;
the sizes are Trainbell's own, and generous."""

from __future__ import annotations

import pytest

from tests.contract.deepva.service import an_order
from tests.contract.limits import ALNUM, Case, Count, Text, Values
from trainbell.providers.deepva.account_calls import OfTraining
from trainbell.providers.deepva.parameters import TrainParameters

TRAINING = dict(an_order().parameters)
OF_FACES = {**TRAINING, "config": {}}
NAMES = Values(["a", "ab", "Faces of 2026", "é~"], ["", " ", " a", "a ", "a\nb\n", "\ta"])
LIMITS = [
    Case(TrainParameters, TRAINING, "source_dataset_id", Text(1, 64, ALNUM + "_-")),
    Case(TrainParameters, TRAINING, "output_model_name", Text(1, 200)),
    Case(TrainParameters, TRAINING, "output_model_name", NAMES),
    Case(TrainParameters, TRAINING, "output_model_description", Text(0, 2000)),
    Case(TrainParameters, TRAINING, "output_model_changelog", Text(0, 2000)),
    Case(TrainParameters, OF_FACES, "config.min_face_size", Count(1, 10_000)),
    Case(TrainParameters, OF_FACES, "config.sharpness_threshold", Count(0, 1000)),
    Case(OfTraining, {}, "id", Text(1, 64, ALNUM + "-")),
]


@pytest.mark.parametrize("case", LIMITS, ids=str)
def test_what_is_within_the_limits_is_taken_and_nothing_else(case: Case) -> None:
    assert case.breaches() == []
