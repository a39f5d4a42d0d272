"""SageMaker keeps what every provider promises."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.sagemaker.service import ARN, WORDS, _enum, a_provider, an_order
from tests.sagemaker_on_moto import (
    ACCESS_KEY,
    REFUSED_ROLE,
    SECRET_KEY,
    SageMakerOnMoto,
)
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.ports import Provider
from trainbell.providers.sagemaker import PROVIDER
from trainbell.providers.sagemaker.provider import SageMaker


class TestConformance(HttpConformance):
    spec = PROVIDER

    @pytest.fixture
    def subject(
        self, service: SageMakerOnMoto, base_url: str, sagemaker: SageMaker, made: list[Provider]
    ) -> HttpSubject:
        def another(url: str = base_url, **wanted: Any) -> SageMaker:
            made.append(provider := a_provider(url, **wanted))
            return provider

        def keys(secret: str) -> str:
            return json.dumps({"access_key_id": ACCESS_KEY, "secret_access_key": secret})

        return HttpSubject(
            spec=PROVIDER,
            provider=sagemaker,
            order=an_order,
            bad_order=lambda job_id: an_order(job_id, RoleArn=REFUSED_ROLE),
            starts=lambda job_id: service.starts[job_id],
            finish=lambda handle: service.finish(handle["name"]),
            unknown_handle={"name": "trainbell-01nobody", "arn": ARN},
            status_map=WORDS,
            documented_statuses=frozenset(_enum("TrainingJobStatus")),
            package="trainbell.providers.sagemaker",
            fault=service.faults.add,
            secret=SECRET_KEY,
            with_secret=lambda secret: another(secret=keys(secret)),
            through=lambda transport: another(transport=transport),
            unreachable=another("http://127.0.0.1:1"),
            say=lambda handle, status: service.say(handle["name"], status),
            get_on=service.get_on,
        )
