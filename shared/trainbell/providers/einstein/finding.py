"""All models of a dataset, whatever happens to the list while it is read."""

from __future__ import annotations

from collections.abc import Iterator

from trainbell.errors import ProviderReplyInvalid, ProviderUnavailable
from trainbell.providers.einstein.client import EinsteinClient
from trainbell.providers.einstein.parameters import TrainParameters
from trainbell.providers.einstein.vendor_models import Training
from trainbell.providers.orders import marker

MAX_PAGES = 100
OVERLAP = 10
"""How many models of a page are read again with the next one."""
_LIST = "list a dataset's models"


def find_started(client: EinsteinClient, given: TrainParameters, job_id: str) -> Training | None:
    """The model of the dataset that carries this job's marker in its name.

    Raises as `every_model`, so that "not found" is never a guess.
    """
    sign, dataset = marker(job_id), str(given.dataset_id)
    models = every_model(client, given.service, dataset)
    return next(
        (m for m in models if sign in (m.name or "") and m.dataset_id in (dataset, None)), None
    )


def every_model(client: EinsteinClient, service: str, dataset_id: str) -> Iterator[Training]:
    """Each at least once; those on the seams between pages twice.

    Neither the list's order nor its length is told, and it may grow or shrink meanwhile. So pages
    overlap, each must still hold the last model of the page before, and the list is at its end
    where a page ends with that one.

    Raises:
        ProviderJobMissing: no such dataset.
        ProviderUnavailable: the list changed too much; look again.
        ProviderReplyInvalid: more models than can be looked through.
    """
    offset = 0
    last_id: str | None = None
    for _ in range(MAX_PAGES):
        page = client.models(service, dataset_id, offset=offset).data
        yield from page
        if last_id is None and not page:
            return
        if last_id is not None and all(model.model_id != last_id for model in page):
            raise ProviderUnavailable(
                "Einstein's list of models changed while it was read; it has to be read again",
                provider="Einstein",
                operation=_LIST,
            )
        if page[-1].model_id == last_id:
            return
        last_id = page[-1].model_id
        offset += len(page) - min(OVERLAP, (len(page) + 1) // 2)
    raise ProviderReplyInvalid(
        f"Einstein lists more than {offset} models of dataset {dataset_id}, too many to look "
        "through; delete some there",
        provider="Einstein",
        operation=_LIST,
    )
