"""Keys and options of a connection to SageMaker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.builders import FakeClock, OneSecret, a_connection
from tests.contract.sagemaker.service import a_provider, an_order
from tests.sagemaker_on_moto import (
    ACCESS_KEY,
    KEYS,
    REGION,
    SECRET_KEY,
)
from trainbell.errors import (
    ConfigInvalid,
    ProviderAuthFailed,
)
from trainbell.ports import Provider
from trainbell.providers.catalog import Catalog
from trainbell.providers.sagemaker import PROVIDER


def test_keys_that_were_mended_at_their_source_work_without_a_restart(
    base_url: str, made: list[Provider]
) -> None:
    secret = OneSecret(json.dumps({"access_key_id": "AKIAWRONG", "secret_access_key": "x" * 40}))
    made.append(provider := a_provider(base_url, secret))
    with pytest.raises(ProviderAuthFailed):
        provider.check()
    secret.secret = KEYS
    assert provider.check() == f"SageMaker answered in {REGION}"
    secret.secret = "nothing any more"
    with pytest.raises(ProviderAuthFailed, match="must be JSON"):
        provider.check()


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "AKIA:plain",
        "[]",
        json.dumps({"access_key_id": ACCESS_KEY}),
        json.dumps({"access_key_id": "no spaces", "secret_access_key": "hush-hush-hush"}),
        json.dumps({"access_key_id": ACCESS_KEY, "secret_access_key": "hush-hush", "more": 1}),
    ],
)
def test_a_secret_of_another_form_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigInvalid, match="access_key_id, secret_access_key") as raised:
        a_provider("https://api.sagemaker.example", secret)
    assert "hush" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_without_a_secret_the_default_chain_is_used(
    base_url: str, made: list[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    connection = a_connection(
        name="s", provider="sagemaker", secret=None, base_url=base_url, options={}
    )
    made.append(provider := Catalog(OneSecret(""), FakeClock()).client(connection))
    assert provider.check() == f"SageMaker answered in {REGION}"


def test_no_region_anywhere_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(ConfigInvalid, match="no AWS region"):
        a_provider("https://api.sagemaker.example", region=None)


def test_no_credentials_anywhere_is_an_auth_failure(
    base_url: str, made: list[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    connection = a_connection(
        name="s", provider="sagemaker", secret=None, base_url=base_url, options={"region": REGION}
    )
    made.append(provider := Catalog(OneSecret(""), FakeClock()).client(connection))
    with pytest.raises(ProviderAuthFailed, match="credentials"):
        provider.start(an_order())


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        ("region", ["eu-west-1", "us-gov-west-1", None], ["eu-west", "EU-WEST-1", "", 1]),
        (
            "name_prefix",
            ["trainbell-", "a-", "", "a" * 36 + "-"],
            ["trainbell", "-a-", "a_b-", "a" * 37 + "-", "ü-"],
        ),
        ("logs_url", ["https://logs.example", None], ["logs.example", "ftp://x", "https://u@x"]),
    ],
)
def test_options_and_their_bounds(option: str, good: list[Any], bad: list[Any]) -> None:
    assert PROVIDER.options is not None
    for value in good:
        PROVIDER.options.model_validate({option: value})
    for value in bad:
        with pytest.raises(ValueError, match=option):
            PROVIDER.options.model_validate({option: value})
