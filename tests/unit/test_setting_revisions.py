"""Settings have a revision: an ETag, and If-Match, so that nobody overwrites what he never saw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api_clients import EmbeddedClient, a_service_on_disk
from tests.builders import FakeClock
from trainbell.use_cases.ground.services import Services

GOOD: dict[str, dict[str, Any]] = {
    "connections": {"provider": "toy", "secret": "env:TOY_KEY"},
    "channels": {"kind": "collect"},
    "schedules": {"expression": "rate(1 hour)", "job": {"provider": "toy"}},
}
OTHER: dict[str, dict[str, Any]] = {
    "connections": {"max_active": 3},
    "channels": {"project": "lab"},
    "schedules": {"enabled": False},
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def services(tmp_path: Path, clock: FakeClock) -> Iterator[Services]:
    made = a_service_on_disk(tmp_path, clock)
    yield made
    made.store.close()


@pytest.fixture
def api(services: Services) -> EmbeddedClient:
    return EmbeddedClient(services)


@pytest.mark.parametrize("kind", GOOD)
def test_an_etag_names_what_is_stored(api: EmbeddedClient, kind: str) -> None:
    path = f"/v1/{kind}/lab"
    created = api.call("PUT", path, GOOD[kind])
    assert created.headers["etag"] == api.call("GET", path).headers["etag"]
    changed = api.call("PUT", path, {**GOOD[kind], **OTHER[kind]})
    assert changed.headers["etag"] != created.headers["etag"]
    assert api.call("GET", path).headers["etag"] == changed.headers["etag"]


@pytest.mark.parametrize("kind", GOOD)
def test_who_has_read_an_older_one_changes_nothing(api: EmbeddedClient, kind: str) -> None:
    path = f"/v1/{kind}/lab"
    old = {"If-Match": api.call("PUT", path, GOOD[kind]).headers["etag"]}
    api.call("PUT", path, {**GOOD[kind], **OTHER[kind]}, headers=old)
    before = api.call("GET", path)
    for method, body in (("PUT", GOOD[kind]), ("DELETE", None)):
        refused = api.call(method, path, body, headers=old)
        assert refused.status == 412
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"] == "urn:trainbell:setting-changed"
        assert "lab" in refused.json()["detail"]
    assert api.call("GET", path).json() == before.json()
    current = {"If-Match": f'"other", {before.headers["etag"]}'}
    assert api.call("PUT", path, GOOD[kind], headers=current).status == 200
    assert api.call("DELETE", path, headers={"If-Match": "*"}).status == 204


@pytest.mark.parametrize("kind", GOOD)
def test_if_match_never_creates(api: EmbeddedClient, kind: str) -> None:
    for tag in ("*", '"3f2a"'):
        refused = api.call("PUT", f"/v1/{kind}/lab", GOOD[kind], headers={"If-Match": tag})
        assert refused.status == 412
    assert api.call("DELETE", f"/v1/{kind}/lab", headers={"If-Match": "*"}).status in (404, 412)
    assert "lab" not in api.call("GET", f"/v1/{kind}").text


def test_a_weak_tag_matches_nothing_and_nonsense_is_refused(api: EmbeddedClient) -> None:
    path = "/v1/connections/lab"
    tag = api.call("PUT", path, GOOD["connections"]).headers["etag"]
    weak = api.call("PUT", path, GOOD["connections"], headers={"If-Match": f"W/{tag}"})
    assert weak.status == 412
    for nonsense in ("3f2a", "", '"a" "b"'):
        refused = api.call("PUT", path, GOOD["connections"], headers={"If-Match": nonsense})
        assert (refused.status, refused.paths()) == (400, ["If-Match"])


def test_without_it_the_last_write_wins(api: EmbeddedClient) -> None:
    for _ in range(2):
        assert api.call("PUT", "/v1/connections/lab", GOOD["connections"]).status in (200, 201)
    assert api.call("DELETE", "/v1/connections/lab").status == 204


def test_what_is_built_in_has_no_revision(api: EmbeddedClient) -> None:
    shown = api.call("GET", "/v1/connections/toy")
    assert shown.json()["built_in"]
    assert "etag" not in shown.headers
