"""Errors as problem documents, and the description of the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from tests.api_clients import CloudClient, EmbeddedClient, a_service_on_disk
from tests.builders import FakeClock
from trainbell import errors
from trainbell.api.app import RESOURCES
from trainbell.api.calls import Request
from trainbell.api.openapi import openapi_document
from trainbell.api.problems import KINDS, problem_reply
from trainbell.use_cases.ground.services import Services

ENDPOINTS = [endpoint for resource in RESOURCES for endpoint in resource.endpoints]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = a_service_on_disk(tmp_path, FakeClock())
    yield made
    made.store.close()


def leaves(cls: type[errors.TrainbellError]) -> Iterator[type[errors.TrainbellError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from leaves(child)


def test_every_error_has_a_status() -> None:
    declared = {cls for cls in leaves(errors.TrainbellError) if cls.__module__ == errors.__name__}
    assert declared - set(KINDS) == {errors.TrainbellError}


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (errors.ProviderThrottled("slow down", retry_after_seconds=12.2), 503, "13"),
        (errors.ProviderThrottled("slow down"), 503, "30"),
        (errors.ProviderAuthFailed("expired"), 502, None),
        (errors.StoreUnavailable("locked"), 503, "1"),
        (errors.StoreFull("disk full"), 507, None),
        (errors.NotFound("nothing"), 404, None),
    ],
)
def test_an_error_has_its_status(error: Exception, status: int, header: str | None) -> None:
    reply = problem_reply(error, Request(method="GET", path="/"))
    assert (reply.status, reply.headers.get("Retry-After")) == (status, header)
    assert reply.media_type == "application/problem+json"


def test_a_held_name_tells_its_holder() -> None:
    reply = problem_reply(errors.HoldTaken("name:default:n", "01job"), Request(method="", path=""))
    assert '"holder": "01job"' in reply.body


@pytest.mark.parametrize("engine", ["embedded", "cloud"])
def test_an_unexpected_error_leaks_nothing(
    tmp_path: Path, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    class BrokenStore:
        def get(self, job_id: str) -> None:
            raise RuntimeError("password=hunter2 at /srv/secret/path")

    services = a_service_on_disk(tmp_path, FakeClock())
    services.store.close()
    broken: Any = BrokenStore()
    object.__setattr__(services, "store", broken)
    client = EmbeddedClient(services) if engine == "embedded" else CloudClient(services)
    answer = client.call("GET", "/v1/jobs/" + "0" * 26)
    assert answer.status == 500
    document = answer.json()
    assert document["request_id"]
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text
    assert document["request_id"] in caplog.text
    assert "hunter2" in caplog.text


@pytest.mark.parametrize("engine", ["embedded", "cloud"])
def test_unknown_paths_and_methods_are_problems(services: Services, engine: str) -> None:
    client = EmbeddedClient(services) if engine == "embedded" else CloudClient(services)
    unknown = client.call("GET", "/v1/jobs/a/b/c")
    assert (unknown.status, unknown.headers["content-type"]) == (404, "application/problem+json")
    wrong = client.call("PUT", "/v1/jobs")
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST, GET")
    assert client.call("OPTIONS", "/v1/health").status == 405


ODD = ('"x"', "a\\b", "x`y", "\N{BELL}", "a\x01b", "#")


@pytest.mark.parametrize("engine", ["embedded", "cloud"])
@pytest.mark.parametrize("name", ODD)
def test_odd_characters_name_nothing(services: Services, engine: str, name: str) -> None:
    """Every call that takes a name says so, with a status that its description has."""
    client = EmbeddedClient(services) if engine == "embedded" else CloudClient(services)
    document = openapi_document(RESOURCES, engine)
    for each in ENDPOINTS:
        if "{" not in each.path:
            continue
        filled = each.path.replace("{id}", name).replace("{name}", name)
        answer = client.call(each.method, filled, {} if each.body else None)
        assert answer.status == 404, (each.method, each.path, answer.text)
        responses = document["paths"][each.path][each.method.lower()]["responses"]
        assert "404" in responses
    wrong = client.call("PATCH", f"/v1/jobs/{name}")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, DELETE")


def test_what_any_call_may_be_answered_is_described() -> None:
    for item in openapi_document(RESOURCES, "embedded")["paths"].values():
        for operation in item.values():
            assert {"400", "401", "403", "405", "408", "413", "421", "500", "503"} <= set(
                operation["responses"]
            )


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE", "POST"])
def test_a_call_without_a_body_refuses_one(services: Services, method: str) -> None:
    path = "/v1/jobs/" + "0" * 26 + ("/cancel" if method == "POST" else "")
    if method != "PUT":
        assert EmbeddedClient(services).call(method, path, {"x": 1}).status == 400
        assert EmbeddedClient(services).call(method, path, {}).status == 404


def test_a_call_without_a_query_refuses_one(services: Services) -> None:
    answer = EmbeddedClient(services).call("GET", "/v1/health", query={"verbose": "1"})
    assert (answer.status, answer.paths()) == (400, ["verbose"])


@pytest.mark.parametrize("engine", ["embedded", "cloud"])
def test_the_description_is_valid_openapi(engine: str) -> None:
    document = openapi_document(RESOURCES, engine)
    validate(document)
    assert document["openapi"] == "3.1.0"


def test_the_description_and_the_app_have_the_same_calls(services: Services) -> None:
    document = EmbeddedClient(services).call("GET", "/v1/openapi.json").json()
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert described == {(each.method, each.path) for each in ENDPOINTS}
    names = [each.operation_id for each in ENDPOINTS]
    assert len(names) == len(set(names))
    for method, path in described:
        filled = path.replace("{id}", "0" * 26).replace("{name}", "none")
        answer = EmbeddedClient(services).call(method, filled)
        assert answer.status != 405
        assert answer.status != 404 or answer.json()["type"] == "urn:trainbell:not-found"


def test_answers_are_as_described(services: Services) -> None:
    document = openapi_document(RESOURCES, "embedded")
    api = EmbeddedClient(services)
    job = api.call("POST", "/v1/jobs", {"provider": "toy"}).json()
    paths = {
        "/v1/jobs": "/v1/jobs",
        "/v1/jobs/{id}": f"/v1/jobs/{job['id']}",
        "/v1/jobs/{id}/events": f"/v1/jobs/{job['id']}/events",
        "/v1/providers": "/v1/providers",
        "/v1/channel-kinds": "/v1/channel-kinds",
        "/v1/connections": "/v1/connections",
        "/v1/channels": "/v1/channels",
        "/v1/limits": "/v1/limits",
        "/v1/health": "/v1/health",
    }
    for path, filled in paths.items():
        good = document["paths"][path]["get"]["responses"]["200"]
        schema = good["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        OAS31Validator(whole).validate(api.call("GET", filled).json())
    problem = {"$ref": "#/components/schemas/ProblemDocument", "components": document["components"]}
    for answer in (api.call("GET", "/v1/nothing"), api.call("POST", "/v1/jobs", {"x": 1})):
        OAS31Validator(problem).validate(answer.json())
