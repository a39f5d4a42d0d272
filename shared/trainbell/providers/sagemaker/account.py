"""The AWS account of a connection: its keys or AWS's default chain, and clients made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from threading import Lock
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from pydantic import BaseModel, ConfigDict, Field

from trainbell.errors import ConfigInvalid
from trainbell.ports import SecretSource
from trainbell.providers.sagemaker.network import Network

CONFIG = Config(
    # One attempt: when to try again is the watcher's business.
    retries={"mode": "standard", "total_max_attempts": 1},
    # The shapes are checked by our own models, in words that a person can use.
    parameter_validation=False,
    user_agent_extra="trainbell",
)


class AccessKeys(BaseModel):
    """What the secret holds, as JSON. Without a secret, AWS's default chain is used: environment,
    profile, or the role of the function or machine."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    access_key_id: str = Field(pattern=r"^\w{4,128}$")
    secret_access_key: str = Field(min_length=8, max_length=512)
    session_token: str | None = Field(default=None, min_length=1, max_length=8192)


class Account:
    """Clients of AWS services for one connection. Thread-safe.

    They are made when first used, because botocore takes 0.1 s to load SageMaker's model; and made
    anew when the secret has changed at its source, which is asked before each call, or after a
    refusal.
    """

    def __init__(
        self,
        network: Network,
        *,
        secrets: SecretSource,
        reference: str | None,
        region: str | None,
    ) -> None:
        """Raises ConfigInvalid where the secret or the region cannot be used."""
        self._network = network
        self._secrets = secrets
        self._reference = reference
        self._lock = Lock()
        self._clients: dict[str, Any] = {}
        self._keys = self._read_keys()
        self._former: AccessKeys | None = None
        self._session = botocore.session.Session()
        self.region = region or self._region_of_the_environment()

    def client(self, service: str, endpoint_url: str | None) -> Any:
        """botocore's client. Raises ConfigInvalid where it cannot be made."""
        with self._lock:
            keys = self._read_keys()
            if keys != self._keys:
                self._drop()
                self._keys = keys
            client = self._clients.get(service)
            if client is None:
                client = self._clients[service] = self._make(service, endpoint_url)
            return client

    def refused(self) -> None:
        """AWS refuses the keys: read them anew before the next call."""
        with self._lock:
            self._drop()

    def secrets(self) -> Sequence[str]:
        """What must never be shown. The former ones too: an answer may still be on its way."""
        both = [keys for keys in (self._keys, self._former) if keys is not None]
        return [s for k in both for s in (k.secret_access_key, k.session_token) if s]

    def close(self) -> None:
        self._network.close()

    def _drop(self) -> None:
        self._former = self._keys or self._former
        self._clients.clear()
        self._session = botocore.session.Session()

    def _make(self, service: str, endpoint_url: str | None) -> Any:
        keys = self._keys
        try:
            client = self._session.create_client(
                service,
                region_name=self.region,
                endpoint_url=endpoint_url,
                config=CONFIG,
                aws_access_key_id=keys.access_key_id if keys else None,
                aws_secret_access_key=keys.secret_access_key if keys else None,
                aws_session_token=keys.session_token if keys else None,
            )
        except (BotoCoreError, ValueError) as exc:
            raise ConfigInvalid(f"no client of AWS can be made: {exc}") from exc
        hooks: Any = (
            client.meta.events
        )  # Its stubs forbid handlers to answer; this event lets them.
        hooks.register("before-send", self._network.send)
        return client

    def _read_keys(self) -> AccessKeys | None:
        if self._reference is None:
            return None
        try:
            return AccessKeys.model_validate(json.loads(self._secrets.read(self._reference)))
        except ValueError:
            # Without its cause, which quotes the secret.
            raise ConfigInvalid(
                f"the secret {self._reference} must be JSON with access_key_id, "
                "secret_access_key and, for temporary keys, session_token"
            ) from None

    def _region_of_the_environment(self) -> str:
        try:
            region = self._session.get_config_variable("region")
        except BotoCoreError as exc:
            raise ConfigInvalid(f"AWS's own configuration cannot be used: {exc}") from exc
        if not region:
            raise ConfigInvalid("no AWS region: set the connection's option region")
        return str(region)
