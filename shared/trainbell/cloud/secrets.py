"""Secrets of the cloud: `secretsmanager:NAME` and `ssm:NAME`; for one machine, see
`trainbell.secret_sources`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from trainbell.cloud.aws_errors import code_of, is_transient
from trainbell.cloud.clients import AwsClients
from trainbell.errors import ConfigInvalid, ProviderUnavailable

KEPT_SECONDS = 60.0
"""For how long a secret that was changed or withdrawn is still used. One poll a minute and
connection is read from AWS at most, whatever the number of jobs."""


class CloudSecrets:
    """Reads secrets whose names begin with the installation's prefix, and keeps them for a minute.

    `secretsmanager:` takes a name, `ssm:` a parameter's (a SecureString, by preference; its
    leading slash may be left out). Other names are refused before AWS is asked.
    """

    def __init__(
        self, clients: AwsClients, prefix: str, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._clients = clients
        self._prefix = prefix
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def read(self, reference: str) -> str:
        """Raises:
        ConfigInvalid: no such secret, an empty or binary one, or another kind of reference.
        ProviderUnavailable: AWS does not give it now.
        """
        now = self._monotonic()
        with self._lock:
            kept = self._kept.get(reference)
        if kept is not None and now < kept[0]:
            return kept[1]
        value = self._fetch(reference)
        with self._lock:
            self._kept[reference] = (now + KEPT_SECONDS, value)
        return value

    def _fetch(self, reference: str) -> str:
        kind, _, name = reference.partition(":")
        fetchers = {"secretsmanager": self._secret, "ssm": self._parameter}
        if kind not in fetchers:
            # Its text is not repeated: it may be the secret itself, pasted by mistake.
            raise ConfigInvalid(
                "this kind of secret reference does not work in the cloud: "
                f"use secretsmanager:{self._prefix}NAME or ssm:/{self._prefix}NAME"
            )
        if not name.removeprefix("/").startswith(self._prefix):
            raise ConfigInvalid(f"the name of a secret must begin with {self._prefix}")
        try:
            value = fetchers[kind](name)
        except ClientError as exc:
            if is_transient(exc):
                raise ProviderUnavailable(f"the secret {name} cannot be read now") from exc
            raise ConfigInvalid(f"the secret {name} cannot be read: {code_of(exc)}") from exc
        except (BotoCoreError, HTTPClientError) as exc:
            raise ProviderUnavailable(f"the secret {name} cannot be read now") from exc
        if not value:
            raise ConfigInvalid(f"the secret {name} is empty, or not a text")
        return value

    def _secret(self, name: str) -> str | None:
        return self._clients.secretsmanager.get_secret_value(SecretId=name).get("SecretString")

    def _parameter(self, name: str) -> str | None:
        path = "/" + name.removeprefix("/")
        answer = self._clients.ssm.get_parameter(Name=path, WithDecryption=True)
        return answer["Parameter"].get("Value")
