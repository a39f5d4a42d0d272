"""What an Einstein training is worth: its statistics, the model's metrics, the learning curve.

Vision, detection and language put different things under `metricsData`
(metamind.readme.io: get-model-metrics, get-detection-model-metrics, get-lang-model-metrics). So
every number is taken by its own name, and every list that has one number for each label by label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trainbell.domain.job import Performance
from trainbell.providers.einstein.vendor_models import CurvePoint, Training
from trainbell.providers.vendor_values import number

_TIME = re.compile(r"(\d{1,4}):(\d\d):(\d\d)(?::(\d{1,3}))?")
_TIMES = {
    "trainingTime": "training_seconds",
    "totalTime": "total_seconds",
    "datasetLoadTime": "dataset_load_seconds",
    "modelSaveTime": "model_save_seconds",
}


def performance(
    training: Training,
    metrics_data: Mapping[str, Any] | None = None,
    curve: Iterable[CurvePoint] = (),
) -> Performance:
    """All of it, as far as it is there."""
    stats = training.train_stats or {}
    data = metrics_data or {}
    model_metrics = data.get("modelMetrics")
    return Performance(
        metrics=_numbers(stats)
        | _numbers(data)
        | _numbers(model_metrics if isinstance(model_metrics, dict) else {}),
        per_tag=_by_label(data) | _by_class(data),
        curve=tuple(_points(curve)),
        cost={
            name: seconds
            for key, name in _TIMES.items()
            if (seconds := _seconds(stats.get(key))) is not None
        },
        artifacts=_artifacts(training),
    )


def _artifacts(training: Training) -> dict[str, str]:
    """What it was made from and what it made, by their ids at the service."""
    artifacts = {"model": f"einstein:models/{training.model_id}"}
    if training.dataset_id is not None:
        artifacts["dataset"] = f"einstein:datasets/{training.dataset_id}"
    shared = (training.train_params or {}).get("withGlobalDatasetId")
    if isinstance(shared, int | str) and not isinstance(shared, bool):
        artifacts["global_dataset"] = f"einstein:datasets/{shared}"
    return artifacts


def _numbers(given: Mapping[str, Any]) -> dict[str, float]:
    return {name: found for name in given if (found := number(given[name])) is not None}


def _by_label(data: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Lists as long as `labels`: f1, precision, recall, for multi-label models accuracies too."""
    labels = data.get("labels")
    if not isinstance(labels, list):
        return {}
    columns = {
        name: values
        for name, values in data.items()
        if name != "labels" and isinstance(values, list) and len(values) == len(labels)
    }
    return {
        str(label): _numbers({name: values[place] for name, values in columns.items()})
        for place, label in enumerate(labels)
    }


def _by_class(data: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Detection: a list of objects, `classMetrics` here and `labelMetrics` there."""
    found: Sequence[Any] = next(
        (data[n] for n in ("classMetrics", "labelMetrics") if isinstance(data.get(n), list)), ()
    )
    return {
        str(one["label"]): _numbers(one)
        for one in found
        if isinstance(one, dict) and "label" in one
    }


def _points(curve: Iterable[CurvePoint]) -> Iterable[Mapping[str, float]]:
    for place, point in enumerate(curve, start=1):
        epoch = float(place) if point.epoch is None else point.epoch
        data = point.metrics_data or {}
        model_metrics = data.get("modelMetrics")
        extra = _numbers(model_metrics) if isinstance(model_metrics, dict) else {}
        yield {"epoch": epoch, **_numbers(data), **extra}


def _seconds(value: Any) -> float | None:
    """`00:02:28:577` is hours, minutes, seconds and milliseconds."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    hours, minutes, seconds = (int(part) for part in found.groups()[:3])
    return hours * 3600 + minutes * 60 + seconds + int(found[4] or 0) / 1000
