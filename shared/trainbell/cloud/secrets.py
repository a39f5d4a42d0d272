"""Secrets of the cloud: `secretsmanager:NAME` and `ssm:NAME`; for one machine, see
`trainbell.secret_sources`.

Where a secret may go stands in its tags, which only its owner can change: the functions may read
tags and set none. A tag cannot hold an asterisk or a comma, so hosts are separated by spaces, and
`.example.com` stands for `*.example.com`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from trainbell.cloud.aws_errors import code_of, is_transient
from trainbell.cloud.clients import AwsClients
from trainbell.cloud.secret_tags import bounds_in, not_allowed
from trainbell.domain.secret_bounds import AMBIENT, Bound, SecretUse, is_allowed
from trainbell.errors import ConfigInvalid, ProviderUnavailable
from trainbell.ports import Clock

KEPT = timedelta(seconds=60)
"""For how long a secret that was changed, withdrawn or bound anew is still used as it was. One call
a minute and connection is made at most, whatever the number of jobs."""

RENEWED_AFTER = timedelta(seconds=5)
"""What is younger than that is not fetched again, however often it is refused."""

ASKED_AGAIN_AFTER = timedelta(seconds=1)
"""What an owner has just allowed counts so soon, although a refusal was kept."""

_MISSING = frozenset({"ResourceNotFoundException", "InvalidResourceId", "ParameterNotFound"})

_OWN_ROLE = (
    "the function's own credentials go to AWS's hosts in the connection's region alone: give the "
    "connection a secret, or leave its URLs out"
)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Fetched(Generic[Value]):
    value: Value
    at: datetime

    def is_older_than(self, age: timedelta, now: datetime) -> bool:
        # A clock that was set back makes nothing younger.
        return not self.at <= now < self.at + age


class CloudSecrets:
    """Secrets whose names begin with the installation's prefix (`ports.SecretVault`). Thread-safe.

    `secretsmanager:` takes a name, `ssm:` a parameter's (a SecureString, by preference; its
    leading slash may be left out). Other names are refused before AWS is asked.
    """

    def __init__(self, clients: AwsClients, prefix: str, clock: Clock) -> None:
        self._clients = clients
        self._prefix = prefix
        self._clock = clock
        self._values: dict[str, _Fetched[str]] = {}
        self._bounds: dict[str, _Fetched[Sequence[Bound]]] = {}
        self._lock = threading.Lock()

    def refusal(self, reference: str, use: SecretUse) -> str | None:
        """Raises ProviderUnavailable where AWS does not give its tags now."""
        if reference == AMBIENT:
            return None if is_allowed((), use) else _OWN_ROLE
        try:
            if is_allowed(self._bounds_of(reference, KEPT), use):
                return None
            # Its owner may just have allowed it.
            if is_allowed(self._bounds_of(reference, ASKED_AGAIN_AFTER), use):
                return None
        except ConfigInvalid as error:
            return str(error)
        return not_allowed(reference, use)

    def renew(self, reference: str) -> None:
        now = self._clock.now()
        with self._lock:
            kept = self._values.get(reference)
            if kept is not None and kept.is_older_than(RENEWED_AFTER, now):
                del self._values[reference]

    def read(self, reference: str) -> str:
        """Raises:
        ConfigInvalid: no such secret, an empty or binary one, or another kind of reference.
        ProviderUnavailable: AWS does not give it now.
        """
        return self._kept(self._values, reference, KEPT, self._fetch_value)

    def _bounds_of(self, reference: str, age: timedelta) -> Sequence[Bound]:
        return self._kept(self._bounds, reference, age, self._fetch_bounds)

    def _kept(
        self,
        kept: dict[str, _Fetched[Value]],
        reference: str,
        age: timedelta,
        fetch: Callable[[str, str], Value],
    ) -> Value:
        now = self._clock.now()
        with self._lock:
            known = kept.get(reference)
        if known is not None and not known.is_older_than(age, now):
            return known.value
        kind, name = self._checked(reference)
        value = self._asked(name, lambda: fetch(kind, name))
        with self._lock:
            kept[reference] = _Fetched(value, now)
        return value

    def _checked(self, reference: str) -> tuple[str, str]:
        """Its kind and name. Raises ConfigInvalid where it is none of this installation's."""
        kind, name = reference.partition(":")[0], _name_in(reference)
        if kind not in ("secretsmanager", "ssm"):
            # Its text is not repeated: it may be the secret itself, pasted by mistake.
            raise ConfigInvalid(
                "this kind of secret reference does not work in the cloud: "
                f"use secretsmanager:{self._prefix}NAME or ssm:/{self._prefix}NAME"
            )
        if not name.removeprefix("/").startswith(self._prefix):
            raise ConfigInvalid(f"the name of a secret must begin with {self._prefix}")
        return kind, name

    def _asked(self, name: str, fetch: Callable[[], Value]) -> Value:
        try:
            return fetch()
        except ClientError as exc:
            if is_transient(exc):
                raise ProviderUnavailable(f"the secret {name} cannot be read now") from exc
            raise ConfigInvalid(f"the secret {name} cannot be read: {code_of(exc)}") from exc
        except (BotoCoreError, HTTPClientError) as exc:
            raise ProviderUnavailable(f"the secret {name} cannot be read now") from exc

    def _fetch_value(self, kind: str, name: str) -> str:
        value: str | None
        if kind == "secretsmanager":
            secret = self._clients.secretsmanager.get_secret_value(SecretId=name)
            value = secret.get("SecretString")
        else:
            answer = self._clients.ssm.get_parameter(Name=_path(name), WithDecryption=True)
            value = answer["Parameter"].get("Value")
        if not value:
            raise ConfigInvalid(f"the secret {name} is empty, or not a text")
        return value

    def _fetch_bounds(self, kind: str, name: str) -> Sequence[Bound]:
        try:
            tags = self._fetch_tags(kind, name)
        except ClientError as exc:
            # One that is still to come is bound by nobody yet; it is asked again when it is used.
            if code_of(exc) not in _MISSING:
                raise
            tags = {}
        return bounds_in(tags, name)

    def _fetch_tags(self, kind: str, name: str) -> Mapping[str, str]:
        if kind == "secretsmanager":
            described = self._clients.secretsmanager.describe_secret(SecretId=name)
            return {tag["Key"]: tag["Value"] for tag in described.get("Tags", ())}
        # All versions of a parameter, `NAME:3`, have its tags.
        whole = _path(name).partition(":")[0]
        listed = self._clients.ssm.list_tags_for_resource(
            ResourceType="Parameter", ResourceId=whole
        )
        return {tag["Key"]: tag["Value"] for tag in listed.get("TagList", ())}


def _name_in(reference: str) -> str:
    return reference.partition(":")[2]


def _path(name: str) -> str:
    return "/" + name.removeprefix("/")
