"""Who may call: every route, in both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api_clients import ARN, OWNER, TOKEN, CloudClient, EmbeddedClient, a_service_on_disk
from tests.builders import FakeClock
from trainbell.api.app import RESOURCES
from trainbell.api.identity import OwnerIdentity
from trainbell.ports import JobQuery
from trainbell.use_cases.ground.services import Services

CALLS = [(each.method, each.path) for resource in RESOURCES for each in resource.endpoints]
UNKNOWN = [("GET", "/v1/nothing"), ("PATCH", "/v1/jobs"), ("GET", "/")]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = a_service_on_disk(tmp_path, FakeClock())
    yield made
    made.store.close()


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in OWNER.items() if key != name}


@pytest.mark.parametrize(("method", "path"), CALLS + UNKNOWN)
def test_no_call_is_open(services: Services, method: str, path: str) -> None:
    embedded = EmbeddedClient(services, without("authorization")).call(method, path)
    assert embedded.status == 401
    assert embedded.headers["www-authenticate"].startswith("Bearer")
    assert CloudClient(services, iam=None).call(method, path).status == 401


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN],
)
def test_a_wrong_token_is_refused(services: Services, authorization: str) -> None:
    given = {**OWNER, "authorization": authorization}
    answer = EmbeddedClient(services, given).call("GET", "/v1/health")
    assert answer.status == 401
    assert TOKEN not in answer.text


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "localhost.",
        "127.0.0.1@evil.example",
        "evil.example#127.0.0.1",
        "127.0.0.1, evil.example",
        "10.0.0.1",
        "169.254.169.254",
        "[::1",
        "127.0.0.1:port",
    ],
)
def test_another_host_is_refused_even_with_the_token(services: Services, host: str) -> None:
    answer = EmbeddedClient(services, {**OWNER, "host": host}).call("GET", "/v1/health")
    assert (answer.status, answer.json()["type"]) == (421, "urn:trainbell:misdirected")


def test_a_request_without_host_is_refused(services: Services) -> None:
    assert EmbeddedClient(services, without("host")).call("GET", "/v1/health").status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.2", "[::1]:8765"])
def test_loopback_by_any_of_its_names_is_answered(services: Services, host: str) -> None:
    assert EmbeddedClient(services, {**OWNER, "host": host}).call("GET", "/v1/health").status == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", "http://127.0.0.1", "http://localhost:8765", "file://"],
)
def test_a_page_of_another_site_is_refused(services: Services, origin: str) -> None:
    api = EmbeddedClient(services, {**OWNER, "origin": origin})
    answer = api.call("POST", "/v1/jobs", {"provider": "toy"})
    assert answer.status == 403
    assert services.store.list(JobQuery(project="default")).items == ()
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_this_very_host_is_answered(services: Services) -> None:
    api = EmbeddedClient(services, {**OWNER, "origin": "http://127.0.0.1:8765"})
    assert api.call("GET", "/v1/health").status == 200


def test_the_caller_is_recorded(services: Services) -> None:
    job = CloudClient(services).call("POST", "/v1/jobs", {"provider": "toy"}).json()
    assert job["requested_by"] == ARN
    assert CloudClient(services).call("GET", "/v1/whoami").json()["by"] == ARN
    assert EmbeddedClient(services).call("GET", "/v1/whoami").json()["by"] == "owner"


@pytest.mark.parametrize("iam", [{}, {"userArn": ""}, {"userArn": None}, {"userArn": 7}])
def test_an_unproven_iam_caller_is_refused(services: Services, iam: dict[str, object]) -> None:
    assert CloudClient(services, iam=iam).call("GET", "/v1/health").status == 401


def test_an_owners_token_is_not_enough_in_the_cloud(services: Services) -> None:
    answer = CloudClient(services, iam=None).call("GET", "/v1/health", headers=OWNER)
    assert answer.status == 401


def test_an_empty_token_is_no_token() -> None:
    with pytest.raises(ValueError, match="empty"):
        OwnerIdentity("")
