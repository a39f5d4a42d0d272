"""SageMaker on moto's server, and a provider that is connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.contract.sagemaker.service import a_provider, reply
from tests.sagemaker_on_moto import (
    SageMakerOnMoto,
    sagemaker_on_moto,
)
from trainbell.providers.sagemaker.provider import SageMaker


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[SageMakerOnMoto, str]]:
    with sagemaker_on_moto() as both:
        yield both


@pytest.fixture
def service(served: tuple[SageMakerOnMoto, str]) -> SageMakerOnMoto:
    """The one server, as if it had just started."""
    service = served[0]
    service.jobs().clear()
    service.starts.clear()
    service.calls.clear()
    service.faults.replace()
    return service


@pytest.fixture
def base_url(served: tuple[SageMakerOnMoto, str], service: SageMakerOnMoto) -> str:
    return served[1]


@pytest.fixture(scope="module")
def shared_provider(served: tuple[SageMakerOnMoto, str]) -> Iterator[SageMaker]:
    """botocore takes its time to load SageMaker's model, so it is done once."""
    provider = a_provider(served[1])
    yield provider
    provider.close()


@pytest.fixture
def sagemaker(service: SageMakerOnMoto, shared_provider: SageMaker) -> SageMaker:
    return shared_provider


@pytest.fixture(scope="module")
def answering() -> Iterator[Callable[..., SageMaker]]:
    """A provider whose service gives these answers, one after the other, the last one for ever."""
    left: list[httpx.Response] = []
    transport = httpx.MockTransport(lambda _: left.pop(0) if len(left) > 1 else left[0])
    provider = a_provider("https://api.sagemaker.example", transport=transport)

    def set_answers(*answers: dict[str, Any] | httpx.Response) -> SageMaker:
        left[:] = [a if isinstance(a, httpx.Response) else reply(a) for a in answers]
        return provider

    yield set_answers
    provider.close()
