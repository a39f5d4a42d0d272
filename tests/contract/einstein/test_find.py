"""A lost start is found in the lists of Einstein."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.einstein.service import JOB, a_provider, an_order
from trainbell.errors import (
    ProviderReplyInvalid,
    ProviderUnavailable,
)
from trainbell.providers.einstein.finding import MAX_PAGES
from trainbell.providers.einstein.provider import Einstein
from trainbell.simulators.einstein import EinsteinSimulator
from trainbell.simulators.einstein.trainings import (
    DETECTION_DATASET,
    IMAGE_DATASET,
)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("place", [0, 99, 100, 215, 229])
def test_E1_the_list_of_models_is_read_to_its_end(
    einstein: Einstein, simulator: EinsteinSimulator, place: int, newest_first: bool
) -> None:
    simulator.newest_first = newest_first
    models = [
        simulator.account.add_model(
            IMAGE_DATASET, f"[trainbell:{JOB}]" if number == place else f"other {number}"
        )
        for number in range(230)
    ]
    assert einstein.find(an_order()) == {"service": "vision", "id": models[place].id}
    assert einstein.find(an_order("01jobbbbbbbbbbbbbbbbbbbbbb")) is None
    assert simulator.requests["GET"] <= 8


def a_list(*pages: list[str], dataset: int = IMAGE_DATASET) -> Einstein:
    """An Einstein whose list of models answers with these pages of ids, the last one for ever."""
    left = list(pages)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/oauth2/token":
            return httpx.Response(200, json={"access_token": "T", "expires_in": "60"})
        ids = left.pop(0) if len(left) > 1 else left[0]
        name = f"x [trainbell:{JOB}]" if dataset != IMAGE_DATASET else "x"
        data = [
            {"modelId": i, "status": "SUCCEEDED", "name": name, "datasetId": dataset} for i in ids
        ]
        return httpx.Response(200, json={"object": "list", "data": data})

    return a_provider("https://api.einstein.ai", transport=httpx.MockTransport(answer))


def test_E1_a_list_that_shrinks_while_it_is_read_is_never_not_found() -> None:
    first = [f"t{n}" for n in range(100)]
    for second in ([f"t{n}" for n in range(150, 200)], []):
        with pytest.raises(ProviderUnavailable, match="changed while"):
            a_list(first, second).find(an_order())


def test_E1_a_list_without_end_is_never_not_found() -> None:
    pages = [[f"t{n}" for n in range(page, page + 20)] for page in range(0, 10 * MAX_PAGES, 10)]
    with pytest.raises(ProviderReplyInvalid, match="more than"):
        a_list(*pages).find(an_order())


def test_E1_a_marker_on_another_dataset_is_not_ours() -> None:
    assert a_list(["t1"], dataset=DETECTION_DATASET).find(an_order()) is None
