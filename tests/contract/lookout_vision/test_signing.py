"""Requests to Lookout for Vision are signed (L7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.builders import NOON, OneSecret
from tests.contract.lookout_vision.service import (
    JOB,
    OUTPUT,
    SERVICE,
    a_provider,
    an_order,
    keys,
)
from trainbell.domain.job import State
from trainbell.errors import (
    ConfigInvalid,
    ProviderAuthFailed,
    ProviderRejected,
)
from trainbell.providers.lookout_vision.provider import LookoutVision
from trainbell.simulators.aws_signatures import AccessKey
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.account import PROJECT
from trainbell.simulators.lookout_vision.service import ACCESS_KEY_ID, SECRET_ACCESS_KEY


def test_L7_the_signature_covers_what_aws_wants_covered() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(
            202, json={"ModelMetadata": {"ModelVersion": "1", "Status": "TRAINING"}}
        )

    a_provider(None, transport=httpx.MockTransport(handler)).start(an_order())
    request = seen[0]
    assert request.url == f"{SERVICE}/2020-11-20/projects/{PROJECT}/models"
    assert request.headers["x-amzn-client-token"] == JOB
    body = json.loads(request.content)
    assert body == {"OutputConfig": OUTPUT, "Description": f"trainbell-{JOB}"}
    assert request.headers["x-amz-date"] == "20260302T120000Z"
    assert "x-amz-security-token" not in request.headers
    scope, names, signature = request.headers["authorization"].split(", ")
    assert scope == (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260302/us-east-1/lookoutvision/aws4_request"
    )
    assert names == "SignedHeaders=content-type;host;x-amz-date;x-amzn-client-token"
    assert len(signature) == len("Signature=") + 64


def test_L7_temporary_credentials_are_shown_and_never_told(
    another: Callable[..., LookoutVision], simulator: LookoutVisionSimulator
) -> None:
    token = "session/token+of=some+length=="
    simulator.keys = {ACCESS_KEY_ID: AccessKey(secret=SECRET_ACCESS_KEY, token=token)}
    provider = another(secret=keys(session_token=token))
    assert provider.poll(provider.start(an_order())).state is State.RUNNING
    simulator.faults.add(Fault(kind=FaultKind.ECHO, status=400))
    with pytest.raises(ProviderRejected) as raised:
        provider.check()
    assert "x-amz-security-token" in str(raised.value.details)
    assert token not in str(raised.value) + str(raised.value.details)
    with pytest.raises(ProviderAuthFailed, match="security token"):
        another().check()


def test_L7_keys_that_were_mended_at_their_source_work_without_a_restart(
    another: Callable[..., LookoutVision], simulator: LookoutVisionSimulator
) -> None:
    expired = AccessKey(secret=SECRET_ACCESS_KEY, token="old", expires_at=NOON)
    new = AccessKey(secret="another", token="new")
    simulator.keys = {ACCESS_KEY_ID: expired}
    secret = OneSecret(keys(session_token="old"))
    provider = another(secret=secret)
    with pytest.raises(ProviderAuthFailed) as raised:
        provider.check()
    assert raised.value.vendor_code == "ExpiredTokenException"
    simulator.keys = {ACCESS_KEY_ID: new}
    secret.secret = keys("another", session_token="new")
    assert provider.check() == (
        "Amazon Lookout for Vision answered: 1 project in this account and region"
    )


def test_L7_a_clock_that_is_wrong_is_an_auth_failure_that_says_so(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    simulator.clock.skew_seconds = 301
    with pytest.raises(ProviderAuthFailed, match="Signature expired"):
        lookout.check()
    simulator.clock.skew_seconds = -300
    assert lookout.check()


def test_L7_a_signature_for_another_region_is_refused(
    another: Callable[..., LookoutVision],
) -> None:
    with pytest.raises(ProviderAuthFailed, match="us-east-1"):
        another(options={"region": "eu-west-1"}).check()


def test_L7_without_a_secret_aws_default_places_are_used(
    another: Callable[..., LookoutVision],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-yet-the-right-one")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    provider = another(secret=None)
    with pytest.raises(ProviderAuthFailed) as raised:
        provider.check()
    assert "not-yet-the-right-one" not in str(vars(raised.value))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
    assert provider.check()


def test_L7_default_places_without_keys_are_an_auth_failure(
    another: Callable[..., LookoutVision], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ProviderAuthFailed, match="no credentials"):
        another(secret=None).check()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ProviderAuthFailed, match="ProfileNotFound"):
        another(secret=None).check()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AKIA:hunter2",
        "[]",
        '{"access_key_id": "AKIA"}',
        '{"access_key_id": "AKIA", "secret_access_key": ""}',
        '{"access_key_id": "AKIA", "secret_access_key": "hunter2\\n"}',
        '{"access_key_id": "A/K", "secret_access_key": "hunter2"}',
        '{"access_key_id": "AKIA", "secret_access_key": "hunter2", "region": "x"}',
        '{"access_key_id": "AKIA", "secret_access_key": "hunter2", "session_token": 7}',
    ],
)
def test_L7_a_secret_that_is_no_key_is_a_wrong_setting_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigInvalid, match="env:AWS_KEYS must be JSON") as raised:
        a_provider(secret=text)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("options", [{}, {"region": "mars-1"}, {"region": "us-east-1", "x": 1}])
def test_L7_a_region_is_needed_and_must_be_one_that_the_service_had(options: Any) -> None:
    with pytest.raises(ConfigInvalid, match=r"lookout: options\."):
        a_provider(options=options)
