"""The simulated Einstein's objects as JSON, with the documented fields in their order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from trainbell.simulators.einstein.trainings import Account, Dataset, Model

_WITH_ALGORITHM = ("image-detection", "text-intent")
_ENDED = ("SUCCEEDED", "FAILED")


def time(at: datetime) -> str:
    """`2016-09-15T16:51:41.000+0000`."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}+0000"


def training(account: Account, model: Model, *, with_progress: bool = True) -> dict[str, Any]:
    """`with_progress`: the status call tells more than the answer to a start."""
    now = account.clock.now()
    run = model.shown_run(now)
    status = run.status(now)
    ended = status in _ENDED
    done = run.epochs_done(now)
    view: dict[str, Any] = {
        **model_view(account, model),
        "epochs": run.epochs,
        "learningRate": 0.0 if model.dataset.service == "language" else run.learning_rate,
        "object": "training",
        "trainParams": _as_asked(account, run.train_params),
        "trainStats": _as_asked(account, account.stats(model, run) if ended else None),
    }
    if status == "QUEUED":
        view["queuePosition"] = account.queue_position(model)
    if with_progress:
        view["earlyStopping"] = ended and done < run.epochs and not run.plan.failure
        view["lastEpochDone"] = done
    return dict(sorted(view.items()))


def model_view(account: Account, model: Model) -> dict[str, Any]:
    """A model in a list."""
    now = account.clock.now()
    run = model.shown_run(now)
    status = run.status(now)
    view: dict[str, Any] = {
        "createdAt": time(account.clock.shown(model.created_at)),
        "datasetId": model.dataset.id,
        "datasetVersionId": 0,
        "language": _language(model.dataset),
        "modelId": model.id,
        "modelType": model.dataset.type,
        "name": model.name,
        "object": "model",
        "progress": round(run.epochs_done(now) / run.epochs, 4) if status != "SUCCEEDED" else 1,
        "status": status,
        "updatedAt": time(account.clock.shown(run.updated_at(now))),
    }
    if model.dataset.type in _WITH_ALGORITHM:
        view["algorithm"] = run.algorithm
    if status == "FAILED":
        view["failureMsg"] = run.plan.failure
    return dict(sorted(view.items()))


def dataset_view(account: Account, dataset: Dataset) -> dict[str, Any]:
    state = dataset.state(account.clock.now())
    each = dataset.examples // len(dataset.labels)
    return {
        "id": dataset.id,
        "name": dataset.name,
        "createdAt": time(account.clock.shown(dataset.created_at)),
        "updatedAt": time(account.clock.shown(dataset.created_at)),
        "labelSummary": {
            "labels": [
                {"id": n, "datasetId": dataset.id, "name": label, "numExamples": each}
                for n, label in enumerate(dataset.labels)
            ]
        },
        "totalExamples": dataset.examples,
        "totalLabels": len(dataset.labels),
        "available": state == "SUCCEEDED",
        "statusMsg": state,
        "type": dataset.type,
        "language": _language(dataset),
        "object": "dataset",
    }


def deletion_view(account: Account, deletion: dict[str, Any]) -> dict[str, Any]:
    done = account.clock.now() >= deletion["done_at"]
    return {
        "id": deletion["id"],
        "type": deletion["type"],
        "status": "SUCCEEDED" if done else "QUEUED",
        "progress": 1 if done else 0,
        "message": None,
        "object": "deletion",
        "organizationId": "2",
        "deletedObjectId": deletion["deletedObjectId"],
    }


def usage_view(now: datetime) -> dict[str, Any]:
    starts = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends = starts.replace(year=now.year + now.month // 12, month=now.month % 12 + 1)
    month = {
        "id": "1",
        "organizationId": "2",
        "startsAt": time(starts),
        "endsAt": time(ends),
        "planData": [{"plan": "STARTER", "amount": 1, "source": "HEROKU"}],
        "predictionsMax": 2000,
        "predictionsUsed": 0,
        "predictionsRemaining": 2000,
        "object": "apiusage",
    }
    return {"object": "list", "data": [month]}


def _language(dataset: Dataset) -> str:
    return "en_US" if dataset.service == "language" else "N/A"


def _as_asked(account: Account, value: dict[str, Any] | None) -> Any:
    return json.dumps(value) if account.as_text and value is not None else value
