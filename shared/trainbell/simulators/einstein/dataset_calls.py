"""The simulated Einstein's datasets: list, get, delete, and a token upload to have more of them."""

from __future__ import annotations

from trainbell.simulators.einstein import views
from trainbell.simulators.einstein.answers import NOT_FOUND, listed, page_asked, said
from trainbell.simulators.einstein.forms import multipart_fields
from trainbell.simulators.einstein.trainings import Account, Dataset
from trainbell.simulators.service import Answer, Request

MAX_DATASETS = 25
KINDS = ("image", "image-detection", "image-multi-label", "text-intent", "text-sentiment")


def known(account: Account, service: str, dataset_id: str) -> Dataset | None:
    """A dataset of this service that is not gone yet."""
    dataset = account.datasets.get(int(dataset_id)) if dataset_id.isdecimal() else None
    if dataset is None or dataset.service != service:
        return None
    return None if dataset.state(account.clock.now()) == "DELETED" else dataset


def list_all(account: Account, request: Request, service: str, _: str) -> Answer:
    """By id, 25 on a page at most, as documented."""
    offset, count = page_asked(request, MAX_DATASETS)
    wants_global = request.query.get("global", "false") == "true"
    found = [
        views.dataset_view(account, dataset)
        for identity, dataset in sorted(account.datasets.items())
        if known(account, service, str(identity)) and dataset.is_global == wants_global
    ]
    return listed(found[offset : offset + min(count, MAX_DATASETS)])


def get(account: Account, _: Request, service: str, dataset_id: str) -> Answer:
    dataset = known(account, service, dataset_id)
    return Answer.json(views.dataset_view(account, dataset)) if dataset else NOT_FOUND


def delete(account: Account, _: Request, service: str, dataset_id: str) -> Answer:
    dataset = known(account, service, dataset_id)
    if dataset is None:
        return NOT_FOUND
    return Answer.json(views.deletion_view(account, account.delete_dataset(dataset)))


def upload(account: Account, request: Request, service: str, call: str) -> Answer:
    """Makes a dataset of two labels of whatever is sent: no picture is looked at."""
    if call != "upload":
        return NOT_FOUND
    fields = multipart_fields(request)
    kind = fields.get("type", "")
    if kind not in KINDS or kind.startswith("text") != (service == "language"):
        return said(400, f"The type {kind or '(none given)'} is not valid")
    if not fields.get("path") and not fields.get("data"):
        return said(400, "Either path or data is required")
    name = fields.get("name") or fields.get("path", "").rpartition("/")[2] or "upload"
    dataset = account.add_dataset(max(account.datasets) + 1, name, kind, "first", "second")
    return Answer.json(views.dataset_view(account, dataset))
