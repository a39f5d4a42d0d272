"""What an answer of Azure AI Vision means in Trainbell's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trainbell.domain.job import END_STATES, Performance, State
from trainbell.domain.observation import Observation
from trainbell.providers.azure_vision.parameters import Target
from trainbell.providers.azure_vision.status_map import EVALUATION_STATUS_MAP, STATUS_MAP
from trainbell.providers.azure_vision.vendor_models import Run
from trainbell.providers.http import ServiceHttp
from trainbell.providers.vendor_values import number

MAX_MESSAGE = 2000
MAX_CODE = 200


def state_of(target: Target, run: Run) -> State | None:
    """None for a status that is not in the table."""
    words = STATUS_MAP if target.evaluation is None else EVALUATION_STATUS_MAP
    return words.get(run.status)


def observation_of(target: Target, run: Run, seen_at: datetime, http: ServiceHttp) -> Observation:
    """`http` knows the secrets that an error must not repeat."""
    state = state_of(target, run)
    error = http.redacted(run.error) if run.error and state is State.FAILED else None
    return Observation(
        seen_at=seen_at,
        vendor_status=run.status,
        state=state,
        message=_sentence(error) if error else None,
        vendor_code=_text(error, "code")[:MAX_CODE] or None if error else None,
        error_details=error,
        performance=_performance(run),
        ended_at=run.updated_date_time if state in END_STATES else None,
    )


def _sentence(error: Mapping[str, Any]) -> str | None:
    """`notEnoughBudget: The budget was used up (timeBudgetInHours)`; the rest is in the details."""
    said = ": ".join(part for part in (_text(error, "code"), _text(error, "message")) if part)
    target = _text(error, "target")
    return (f"{said} ({target})" if target else said)[:MAX_MESSAGE] or None


def _text(error: Mapping[str, Any], key: str) -> str:
    value = error.get(key)
    return value if isinstance(value, str) else ""


def _performance(run: Run) -> Performance:
    """Metrics keep the service's own names; what is no number is left out."""
    measured = dict(run.model_performance or {})
    by_tag = measured.pop("tagPerformance", None)
    tags = by_tag if isinstance(by_tag, dict) else {}
    minutes = run.training_cost_in_minutes
    return Performance(
        metrics=_numbers(measured),
        per_tag={tag: _numbers(values) for tag, values in tags.items() if isinstance(values, dict)},
        cost={} if minutes is None else {"training_minutes": minutes},
    )


def _numbers(given: Mapping[str, Any]) -> dict[str, float]:
    read = ((name, number(value)) for name, value in given.items())
    return {name: value for name, value in read if value is not None}
