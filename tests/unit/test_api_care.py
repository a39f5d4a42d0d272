"""Export, import, departure, retention and forgetting by the API, on both engines alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api_clients import Client, CloudClient, EmbeddedClient, a_service_on_disk
from tests.builders import FakeClock
from trainbell.use_cases.ground.services import Services

ORDER = {"provider": "toy", "parameters": {"epochs": 3}}


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = a_service_on_disk(tmp_path, FakeClock())
    yield made
    made.store.close()


@pytest.fixture(params=[EmbeddedClient, CloudClient])
def api(request: pytest.FixtureRequest, services: Services) -> Client:
    client: Client = request.param(services)
    return client


def an_export(api: Client) -> dict[str, Any]:
    answer = api.call("POST", "/v1/export", {})
    assert answer.status == 200
    page: dict[str, Any] = answer.json()
    assert page["next"] is None
    return page


def test_an_export_is_imported_as_it_is(api: Client) -> None:
    api.call("PUT", "/v1/retention/default", {"days": 3})
    job = api.call("POST", "/v1/jobs", ORDER).json()
    page = an_export(api)
    assert {each["kind"] for each in page["records"]} == {"retention", "event", "job"}
    assert not page["has_moved"]
    body = {"format": page["format"], "arrival": "copy", "records": page["records"]}
    answer = api.call("POST", "/v1/import", body)
    assert (answer.status, answer.json()) == (200, {"stored": 0, "same": 3})
    assert api.call("GET", f"/v1/jobs/{job['id']}").json()["moved_at"] is None


def test_all_problems_of_an_import_come_at_once(api: Client) -> None:
    records = [
        {"kind": "retention", "of": "default", "body": {"name": "default", "days": 0}},
        {"kind": "member", "of": "ada", "body": {}},
    ]
    refused = api.call("POST", "/v1/import", {"format": 1, "arrival": "moved", "records": records})
    assert (refused.status, refused.paths()) == (422, ["records.1.kind", "records.0.body"])
    assert api.call("GET", "/v1/retention").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"format": 2, "arrival": "moved", "records": []}, "format"),
        ({"format": 1, "arrival": "stolen", "records": []}, "arrival"),
        ({"format": 1, "arrival": "moved", "records": [{}]}, "records.0.kind"),
        ({"format": 1, "arrival": "moved", "records": [], "more": 1}, "more"),
    ],
)
def test_a_wrong_import_is_refused(api: Client, body: dict[str, Any], path: str) -> None:
    refused = api.call("POST", "/v1/import", body)
    assert refused.status == 422
    assert path in refused.paths()


@pytest.mark.parametrize("position", [{"cursor": "x", "project": "default"}, {"project": ""}])
def test_a_position_of_another_export_is_refused_or_leads_to_an_end(
    api: Client, position: dict[str, str]
) -> None:
    api.call("POST", "/v1/jobs", ORDER)
    answer = api.call("POST", "/v1/export", {"position": position})
    assert answer.status in (200, 422)


def test_who_has_departed_begins_nothing_until_taken_back(api: Client) -> None:
    job = api.call("POST", "/v1/jobs", ORDER).json()
    departed = api.call("POST", "/v1/departure")
    assert departed.status == 200
    assert api.call("POST", "/v1/departure").json() == departed.json()
    assert api.call("GET", "/v1/health").json()["departed_at"] == departed.json()["begun_at"]
    assert api.call("POST", "/v1/jobs", ORDER).status == 409
    assert an_export(api)["has_moved"]
    path = f"/v1/jobs/{job['id']}"
    assert api.call("GET", path).json()["moved_at"] is not None
    assert api.call("POST", f"{path}/cancel").status == 409
    back = api.call("DELETE", "/v1/departure").json()
    assert back == {"taken_back": 1, "next_project": None, "next_cursor": None}
    assert api.call("GET", "/v1/health").json()["departed_at"] is None
    assert api.call("POST", f"{path}/cancel").status == 202


def test_retention_is_set_shown_and_deleted(api: Client) -> None:
    assert api.call("PUT", "/v1/retention/vision", {"days": 30}).status == 201
    assert api.call("PUT", "/v1/retention/vision", {"days": 31}).status == 200
    assert api.call("GET", "/v1/retention/vision").json()["days"] == 31
    assert api.call("DELETE", "/v1/retention/vision").status == 204
    assert api.call("GET", "/v1/retention/vision").status == 404
    assert api.call("PUT", "/v1/retention/vision", {"days": "x"}).status == 422


def test_a_person_is_forgotten(api: Client) -> None:
    job = api.call("POST", "/v1/jobs", ORDER).json()
    answer = api.call("POST", "/v1/forget-person", {"subject": job["requested_by"]})
    assert (answer.status, answer.json()["changed"]) == (200, 1)
    shown = api.call("GET", f"/v1/jobs/{job['id']}").json()
    assert shown["requested_by"] == answer.json()["pseudonym"]
    assert api.call("POST", "/v1/forget-person", {"subject": ""}).status == 422
