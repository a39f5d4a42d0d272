"""What a model version says of its training: the state, the metrics, the files in S3."""

from __future__ import annotations

from trainbell.domain.job import Performance, State
from trainbell.providers.lookout_vision.status_map import STATUS_MAP
from trainbell.providers.lookout_vision.vendor_models import Model, S3Object


def state_of(model: Model) -> State | None:
    """By the table; None for a word that is not in it."""
    state = STATUS_MAP.get(model.status)
    # A model that is being deleted still shows its evaluation, if its training had succeeded.
    if state is State.CANCELLING and (model.evaluation_end_timestamp or metrics_of(model)):
        return State.SUCCEEDED
    return state


def metrics_of(model: Model) -> dict[str, float]:
    measured = model.performance
    if measured is None:
        return {}
    named = {
        "F1Score": measured.f1_score,
        "Precision": measured.precision,
        "Recall": measured.recall,
    }
    return {name: value for name, value in named.items() if value is not None}


def performance_of(model: Model) -> Performance:
    """The service tells no cost. `artifacts`: the model's ARN and `s3://` places."""
    output = model.output_config.s3_location if model.output_config else None
    places = {
        "model": model.model_arn,
        "output": _uri(output),
        "evaluation_manifest": _uri(model.evaluation_manifest),
        "evaluation_result": _uri(model.evaluation_result),
    }
    return Performance(
        metrics=metrics_of(model),
        artifacts={name: uri for name, uri in places.items() if uri},
    )


def _uri(place: S3Object | None) -> str | None:
    if place is None or not place.bucket:
        return None
    return f"s3://{place.bucket}/{place.key or place.prefix or ''}"
