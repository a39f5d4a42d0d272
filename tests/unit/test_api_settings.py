"""Connections, channels, schedules and providers by the API; and both engines alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from tests.api_clients import CloudClient, EmbeddedClient, a_service_on_disk
from tests.builders import FakeClock
from trainbell.domain.addresses import CLOUD
from trainbell.domain.settings import Connection
from trainbell.use_cases.ground.services import Services

GOOD = {"provider": "toy", "secret": "env:TOY_KEY", "max_active": 3, "calls_per_minute": 30}


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")

    region: str = "eu"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = a_service_on_disk(tmp_path, FakeClock(), options=Options)
    yield made
    made.store.close()


@pytest.fixture
def api(services: Services) -> EmbeddedClient:
    return EmbeddedClient(services)


def test_a_connection_is_created_replaced_shown_and_deleted(api: EmbeddedClient) -> None:
    created = api.call("PUT", "/v1/connections/lab", {**GOOD, "options": {"region": "us"}})
    assert created.status == 201
    assert created.json()["secret"] == "env:TOY_KEY"
    replaced = api.call("PUT", "/v1/connections/lab", GOOD)
    assert (replaced.status, replaced.json()["options"]) == (200, {})
    shown = api.call("GET", "/v1/connections/lab").json()
    assert shown == {**replaced.json(), "last_error": None}
    tried = api.call("POST", "/v1/connections/lab/test")
    assert tried.json() == {"name": "lab", "ok": True, "message": "the toy service answers"}
    assert api.call("DELETE", "/v1/connections/lab").status == 204
    assert api.call("DELETE", "/v1/connections/lab").status == 404
    missing = api.call("GET", "/v1/connections/lab")
    assert "toy" in missing.json()["detail"]


def test_every_problem_of_a_connection_comes_at_once_and_nothing_is_stored(
    api: EmbeddedClient, services: Services
) -> None:
    raw = "sk-live-4242424242424242"
    body = {
        "provider": "toy",
        "base_url": "https://ada:hunter2@api.example.com/",
        "secret": raw,
        "calls_per_minute": 6001,
        "max_active": 0,
        "options": {"planet": 1},
        "surprise": 1,
    }
    answer = api.call("PUT", "/v1/connections/Lab", body)
    assert answer.status == 422
    assert set(answer.paths()) == {
        "name",
        "base_url",
        "secret",
        "calls_per_minute",
        "max_active",
        "options.planet",
        "surprise",
    }
    assert raw not in answer.text
    assert "hunter2" not in answer.text
    assert services.store.list_config(Connection).items == ()


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2",
        "env:",
        "env:not a name",
        "https://x",
        "file:relative",
        "vault:x",
        "env:A\nB",
        "x" * 513,
    ],
)
def test_a_secret_must_be_a_reference(api: EmbeddedClient, secret: str) -> None:
    answer = api.call("PUT", "/v1/connections/lab", {**GOOD, "secret": secret})
    assert (answer.status, answer.paths()) == (422, ["secret"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("calls_per_minute", 0),
        ("calls_per_minute", "30"),
        ("calls_per_minute", True),
        ("max_active", 10_001),
        ("max_active", 1.5),
        ("base_url", "ftp://example.com"),
        ("base_url", "example.com"),
        ("base_url", "http://169.254.169.254/latest"),
        ("base_url", "https://example.com/?key=1"),
        ("base_url", "http://example.com"),
        ("provider", "toys"),
        ("provider", 7),
        ("provider", None),
        ("options", []),
    ],
)
def test_a_wrong_field_is_named(api: EmbeddedClient, field: str, value: object) -> None:
    answer = api.call("PUT", "/v1/connections/lab", {**GOOD, field: value})
    assert (answer.status, answer.paths()) == (422, [field])


@pytest.mark.parametrize("host", ["10.1.2.3", "127.0.0.1", "[fd00::1]", "[64:ff9b::a01:203]"])
def test_the_cloud_calls_no_inner_address(tmp_path: Path, host: str) -> None:
    services = a_service_on_disk(tmp_path, FakeClock())
    here, cloud = EmbeddedClient(services), EmbeddedClient(replace(services, reach=CLOUD))
    body = {**GOOD, "base_url": f"https://{host}/v1"}
    refused = cloud.call("PUT", "/v1/connections/lab", body)
    taken = here.call("PUT", "/v1/connections/lab", body)
    services.store.close()
    assert (refused.status, refused.paths(), taken.status) == (422, ["base_url"], 201)


def test_what_a_provider_needs_is_asked_for(tmp_path: Path) -> None:
    needy = a_service_on_disk(tmp_path, FakeClock(), needs_url=True, needs_secret=True)
    answer = EmbeddedClient(needy).call("PUT", "/v1/connections/lab", {"provider": "toy"})
    listed = EmbeddedClient(needy).call("GET", "/v1/connections").json()
    needy.store.close()
    assert answer.paths() == ["base_url", "secret"]
    assert listed["items"] == []


def test_a_connection_in_use_stays(api: EmbeddedClient) -> None:
    api.call("PUT", "/v1/connections/lab", GOOD)
    job = api.call("POST", "/v1/jobs", {"provider": "toy", "connection": "lab"}).json()
    refused = api.call("DELETE", "/v1/connections/lab")
    assert (refused.status, "1 active" in refused.json()["detail"]) == (409, True)
    api.call("POST", f"/v1/jobs/{job['id']}/cancel")
    assert api.call("DELETE", "/v1/connections/lab").status == 204


def test_built_in_connections_come_last_and_cannot_be_deleted(api: EmbeddedClient) -> None:
    for name in ("a", "b"):
        api.call("PUT", f"/v1/connections/{name}", GOOD)
    seen, cursor = [], None
    for _ in range(4):
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = api.call("GET", "/v1/connections", query=query).json()
        assert len(page["items"]) <= 1
        seen += [(each["name"], each["built_in"]) for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [("a", False), ("b", False), ("toy", True)]
    whole = api.call("GET", "/v1/connections").json()
    assert [each["name"] for each in whole["items"]] == ["a", "b", "toy"]
    assert api.call("DELETE", "/v1/connections/toy").status == 409


def test_a_rate_budget_holds_for_logs_too(tmp_path: Path) -> None:
    from trainbell.use_cases.jobs.advance_job import advance_job

    limited = a_service_on_disk(tmp_path, FakeClock(), has_logs=True, calls_per_minute=1.0)
    api = EmbeddedClient(limited)
    job_id = api.call("POST", "/v1/jobs", {"provider": "toy"}).json()["id"]
    assert api.call("GET", f"/v1/jobs/{job_id}/logs").json() == {"lines": []}
    advance_job(limited, job_id)
    answer = api.call("GET", f"/v1/jobs/{job_id}/logs")
    limited.store.close()
    assert (answer.status, answer.headers["retry-after"]) == (503, "65")


def test_channels_by_the_api(api: EmbeddedClient) -> None:
    created = api.call("PUT", "/v1/channels/team", {"kind": "collect"})
    assert created.status == 201
    names = [each["name"] for each in api.call("GET", "/v1/channels").json()["items"]]
    assert names == ["team", "collector"]
    assert api.call("POST", "/v1/channels/team/test").json()["ok"] is True
    assert api.call("PUT", "/v1/channels/team", {"kind": "pigeon"}).paths() == ["kind"]
    assert api.call("DELETE", "/v1/channels/collector").status == 409
    assert api.call("DELETE", "/v1/channels/team").status == 204
    assert api.call("GET", "/v1/channels/team").status == 404


def test_schedules_by_the_api(api: EmbeddedClient) -> None:
    body = {"expression": "rate(5 minutes)", "job": {"provider": "toy"}}
    created = api.call("PUT", "/v1/schedules/often", body)
    assert created.status == 201
    assert created.json()["next_due_at"] == "2026-03-02T12:05:00Z"
    tried = api.call("POST", "/v1/schedules/often/test").json()
    assert tried["message"].endswith("next due at 2026-03-02T12:05:00Z")
    assert api.call("GET", "/v1/jobs").json()["items"] == []
    wrong = {**body, "job": {"provider": "toy", "parameters": {"epochs": 0}}}
    assert api.call("PUT", "/v1/schedules/often", wrong).paths() == ["job.parameters.epochs"]
    assert api.call("DELETE", "/v1/schedules/often").status == 204
    assert api.call("GET", "/v1/schedules/often").status == 404


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"expression": "at(2026-03-02T11:59:59)"}, "expression"),  # It is noon in UTC.
        (
            {"expression": "at(2026-03-02T12:30:00)", "time_zone": "Europe/Berlin"},
            "expression",
        ),
        (
            {"expression": "at(2026-03-29T02:30:00)", "time_zone": "Europe/Berlin"},
            "expression",  # The clocks skip it.
        ),
        (
            {"job": {"provider": "toy", "deadline_at": "2026-03-02T13:00:00Z"}},
            "job.deadline_at",
        ),
    ],
)
def test_a_schedule_that_could_never_do_is_refused(
    api: EmbeddedClient, changes: dict[str, object], path: str
) -> None:
    body = {"expression": "rate(5 minutes)", "job": {"provider": "toy"}, **changes}
    assert api.call("PUT", "/v1/schedules/once", body).paths() == [path]


def test_a_schedule_has_a_moment_in_its_zone_and_a_span_as_deadline(api: EmbeddedClient) -> None:
    body = {
        "expression": "at(2026-03-02T13:30:00)",
        "time_zone": "Europe/Berlin",
        "job": {"provider": "toy", "deadline_seconds": 3600},
    }
    created = api.call("PUT", "/v1/schedules/once", body)
    assert (created.status, created.json()["next_due_at"]) == (201, "2026-03-02T12:30:00Z")


def test_providers_say_what_they_need_and_can_do(api: EmbeddedClient) -> None:
    provider = api.call("GET", "/v1/providers/toy").json()
    assert provider["abilities"]["cancel"] is True
    assert provider["kinds"][0]["parameters"]["properties"]["epochs"]["maximum"] == 1000
    assert provider["service"]["state"] == "live"
    assert api.call("GET", "/v1/providers").json()["items"] == [provider]
    assert api.call("GET", "/v1/providers/none").status == 404


def test_both_engines_answer_alike(tmp_path: Path) -> None:
    made = []
    for engine in ("embedded", "cloud"):
        folder = tmp_path / engine
        folder.mkdir()
        made.append(a_service_on_disk(folder, FakeClock(), options=Options))
    embedded, cloud = EmbeddedClient(made[0]), CloudClient(made[1])
    key = {"idempotency-key": "k"}
    for method, path, body, headers, query in [
        ("GET", "/v1/connections", None, {}, {}),
        ("PUT", "/v1/connections/lab", GOOD, {}, {}),
        ("PUT", "/v1/connections/lab", {"provider": "no"}, {}, {}),
        ("POST", "/v1/jobs", {"provider": "toy", "tags": {"k": "ü v"}}, key, {}),
        ("POST", "/v1/jobs", {"provider": "toy", "tags": {"k": "ü v"}}, key, {}),
        ("POST", "/v1/jobs", {"provider": "toy"}, key, {}),
        ("GET", "/v1/jobs", None, {}, {"tag": "k=ü v", "state": ["requested", "running"]}),
        ("GET", "/v1/jobs", None, {}, {"limit": ["1", "2"], "x": "1"}),
        ("POST", "/v1/jobs", b"{", {"content-type": "application/json"}, {}),
        ("GET", "/v1/limits", None, {}, {}),
        ("GET", "/v1/providers", None, {}, {}),
        ("PATCH", "/v1/jobs", None, {}, {}),
        ("GET", "/v1/none", None, {}, {}),
    ]:
        ours = embedded.call(method, path, body, headers=headers, query=query)
        theirs = cloud.call(method, path, body, headers=headers, query=query)
        assert ours.status == theirs.status, (method, path)
        assert _comparable(ours.text) == _comparable(theirs.text)
        assert dict(ours.headers) == dict(theirs.headers)
    for each in made:
        each.store.close()


def _comparable(text: str) -> str:
    return text.replace("arn:aws:iam::123456789012:user/ada", "owner")
