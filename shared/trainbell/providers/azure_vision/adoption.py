"""Is what has this order's name its own? A name is all that the service takes as identity.

It has no idempotency key and no place for a marker. So a name that Trainbell made from the job's id
proves whose it is; one that the caller chose may be anybody's, and must also have been created no
earlier than the job was requested. Both must have the parameters that were asked for.

A wrong "not ours" starts nothing twice, because the service refuses a name that exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from trainbell.ports import StartOrder
from trainbell.providers.azure_vision.parameters import (
    EvaluateParameters,
    Parameters,
    TrainParameters,
)
from trainbell.providers.azure_vision.vendor_models import Run

CLOCKS_DIFFER_BY = timedelta(seconds=60)
"""How far the service's clock may lie behind ours."""
_TRAINING = ("trainingDatasetName", "timeBudgetInHours", "modelKind")
_EVALUATION = ("testDatasetName",)
_COMPARED: Mapping[type[Parameters], Mapping[str, tuple[str, ...]]] = {
    TrainParameters: {"trainingParameters": _TRAINING, "evaluationParameters": _EVALUATION},
    EvaluateParameters: {"evaluationParameters": _EVALUATION},
}


def foreign_because(order: StartOrder, parameters: Parameters, run: Run) -> str | None:
    """Why this order did not make it, in a few words; None where it did."""
    differing = _differing(parameters, run)
    if differing:
        return f"it was made with another {' and another '.join(differing)}"
    made_at, requested_at = run.created_date_time, order.requested_at
    if not parameters.name_is_chosen or made_at is None or requested_at is None:
        return None
    if made_at + CLOCKS_DIFFER_BY < requested_at:
        return f"it was made at {made_at.isoformat()}, before this job was requested"
    return None


def _differing(parameters: Parameters, run: Run) -> list[str]:
    asked, found = parameters.wire(), run.parameters()
    return [
        name
        for section, names in _COMPARED[type(parameters)].items()
        for name in names
        if _differs(name, asked.get(section, {}).get(name), found[section].get(name))
    ]


def _differs(name: str, asked: object, found: object) -> bool:
    if name == "modelKind" and None in (asked, found):
        # Left to the service, or left out of its answer as in the documented example.
        return False
    return asked != found
