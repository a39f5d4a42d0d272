"""Figures of a simulated training: made up, but the same for the same model and epoch."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any


def metrics_data(model_id: str, kind: str, labels: Sequence[str], epoch: int) -> dict[str, Any]:
    """`metricsData` as its kind of model has it (metamind.readme.io: get-model-metrics and its
    `detection`, `multi-label` and `lang` twins)."""
    accuracy = _accuracy(model_id, epoch)
    scores = [round(accuracy - 0.01 * (place % 5), 4) for place in range(len(labels))]
    if kind == "image-detection":
        return {
            "classMetrics": [
                {"label": label, "averagePrecision": score, **_lists(score)}
                for label, score in zip(labels, scores, strict=True)
            ],
            "modelMetrics": {"meanAveragePrecision": accuracy},
        }
    if kind == "image-multi-label":
        return {
            "confusionMatrices": {label: [[9, 1], [1, 9]] for label in labels},
            "f1": [[score, score] for score in scores],
            "labels": list(labels),
            "testAccuracy": scores,
            "trainingAccuracy": scores,
            "trainingLoss": _loss(accuracy),
        }
    data: dict[str, Any] = {
        "confusionMatrix": [[10 * (a == b) for b in labels] for a in labels],
        "f1": scores,
        "labels": list(labels),
        "testAccuracy": accuracy,
        "trainingAccuracy": round(min(1.0, accuracy + 0.02), 4),
        "trainingLoss": _loss(accuracy),
    }
    if kind.startswith("text"):
        data["macroF1"] = round(sum(scores) / len(scores), 4)
        data |= {"precision": scores, "recall": scores, "testLoss": data["trainingLoss"]}
    return data


def train_stats(
    *, labels: int, examples: int, split: float, seconds: float, epochs: int, asked: int
) -> dict[str, Any]:
    """`trainStats` of an ended training (metamind.readme.io/reference/get-training-status)."""
    trained = round(examples * split)
    return {
        "labels": labels,
        "examples": examples,
        "totalTime": clock_time(seconds),
        "transforms": None,
        "trainingTime": clock_time(seconds * 0.96),
        "earlyStopping": epochs < asked,
        "lastEpochDone": epochs,
        "modelSaveTime": clock_time(seconds * 0.01),
        "testSplitSize": examples - trained,
        "trainSplitSize": trained,
        "datasetLoadTime": clock_time(seconds * 0.03),
        "preProcessStats": None,
        "postProcessStats": None,
    }


def clock_time(seconds: float) -> str:
    """`00:02:28:577`: hours, minutes, seconds, milliseconds."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}:{thousandths:03}"


def _lists(score: float) -> dict[str, list[float]]:
    return {name: [score] for name in ("f1", "precision", "recall")}


def _accuracy(model_id: str, epoch: int) -> float:
    talent = 0.85 + (zlib.crc32(model_id.encode()) % 100) / 1000
    return round(talent * (1 - math.exp(-epoch / 4)), 4)


def _loss(accuracy: float) -> float:
    return round(-math.log(max(accuracy, 0.01)), 4)
