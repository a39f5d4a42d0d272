"""Einstein keeps what every provider promises, for both kinds of job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.contract.einstein.service import WORDS, a_retraining, an_order
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.ports import StartOrder
from trainbell.providers.einstein import PROVIDER
from trainbell.providers.einstein.provider import Einstein
from trainbell.simulators.einstein import EinsteinSimulator
from trainbell.simulators.einstein.account_key import PRIVATE_KEY
from trainbell.simulators.einstein.trainings import (
    DETECTION_DATASET,
    GLOBAL_DATASET,
    IMAGE_DATASET,
    MULTI_LABEL_DATASET,
)
from trainbell.simulators.faults import Fault, FaultKind

CALLS = r"^/v2/(vision|language)/"


# ---------------------------------------------------------------- the conformance suite, two kinds


def a_subject(
    simulator: EinsteinSimulator, einstein: Einstein, another: Callable[..., Einstein]
) -> HttpSubject:
    """Faults are of the service's own calls: those of getting a token have tests below. One of
    the suite's 401 answers is not enough, since a refused token is renewed once."""

    def fault(wanted: Fault) -> None:
        path = wanted.path or CALLS
        times = 2 if (wanted.kind, wanted.status) == (FaultKind.ECHO, 401) else wanted.times
        simulator.faults.add(replace(wanted, path=path, times=times))

    datasets = (IMAGE_DATASET, DETECTION_DATASET, MULTI_LABEL_DATASET, GLOBAL_DATASET)

    def order(job_id: str) -> StartOrder:
        """Each job on a dataset of its own, for none takes two at a time."""
        return an_order(job_id, datasetId=datasets[int(job_id[-1]) - 1])

    def crowd() -> None:
        for dataset in datasets:
            for number in range(230):
                simulator.account.add_model(dataset, f"Other {number}")

    return HttpSubject(
        spec=PROVIDER,
        provider=einstein,
        order=order,
        bad_order=lambda job_id: an_order(job_id, datasetId=999),
        starts=lambda job_id: simulator.starts[f"trainbell:{job_id}"],
        finish=lambda handle: simulator.account.end_now(handle["id"]),
        unknown_handle={"service": "vision", "id": "2KXJEOM3N562JBT4P7OX7VID2Q"},
        status_map=WORDS,
        documented_statuses=frozenset(WORDS),
        package="trainbell.providers.einstein",
        fault=fault,
        secret=PRIVATE_KEY,
        with_secret=lambda secret: another(secret=secret),
        through=lambda transport: another(transport=transport),
        unreachable=another("http://127.0.0.1:1"),
        say=lambda handle, status: simulator.account.say(handle["id"], status),
        get_on=lambda: simulator.clock.advance(1),
        crowd=crowd,
    )


class TestConformance(HttpConformance):
    """Retraining has nothing to leave a marker in, so it deserves the suite for itself."""

    spec = PROVIDER

    @pytest.fixture
    def subject(
        self,
        job_kind: str,
        simulator: EinsteinSimulator,
        einstein: Einstein,
        another: Callable[..., Einstein],
    ) -> HttpSubject:
        subject = a_subject(simulator, einstein, another)
        return subject if job_kind == "train" else of_retraining(subject, simulator)


def of_retraining(subject: HttpSubject, simulator: EinsteinSimulator) -> HttpSubject:
    models = {
        str(number): simulator.account.add_model(dataset, "Old").id
        for number, dataset in enumerate(
            (IMAGE_DATASET, DETECTION_DATASET, MULTI_LABEL_DATASET, GLOBAL_DATASET), start=1
        )
    }

    def fault(wanted: Fault) -> None:
        # A start looks at the model before it sends anything.
        path = "/retrain$" if wanted.method == "POST" else "/train/"
        subject.fault(replace(wanted, path=path))

    return replace(
        subject,
        order=lambda job_id: a_retraining(models[job_id[-1]], job_id),
        bad_order=lambda job_id: a_retraining("NOSUCHMODEL", job_id),
        starts=lambda job_id: simulator.starts[f"retrain:{models[job_id[-1]]}"],
        fault=fault,
        crowd=None,
    )
