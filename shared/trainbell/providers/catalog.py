"""Providers by name, and their live clients by connection.

A provider is a folder beside this file, or an entry point of the group `trainbell.providers` whose
name is the provider's and whose object is its `ProviderSpec` (`extensions.finder`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from trainbell.domain.settings import Connection
from trainbell.errors import ConfigInvalid, NotFound
from trainbell.extensions.bound_secret import BoundSecret
from trainbell.extensions.client_pool import ClientPool
from trainbell.extensions.finder import Finder, ThirdParty
from trainbell.ports import (
    INSTALLATION,
    Clock,
    Provider,
    ProviderContext,
    ProviderSpec,
    SecretVault,
)
from trainbell.providers.redacted import KnownSecrets, RedactedProvider

ENTRY_POINT_GROUP = "trainbell.providers"


class Catalog:
    """The providers of this installation (`ports.ProviderCatalog`). Thread-safe."""

    def __init__(
        self,
        secrets: SecretVault,
        clock: Clock,
        data_dir: str | None = None,
        transport: Any = None,
        engine: str = "embedded",
        *,
        installation: str = INSTALLATION,
        package: str = "trainbell.providers",
        third_party: ThirdParty | None = None,
    ) -> None:
        """`engine`: "embedded" or "cloud"; providers that need this machine are not offered in the
        cloud. `transport` replaces the network of every client (tests). `installation` tells
        several in one account apart."""
        self._secrets = secrets
        self._clock = clock
        self._data_dir = data_dir
        self._transport = transport
        self._installation = installation
        self._in_cloud = engine == "cloud"
        self._finder = Finder(
            ProviderSpec,
            noun="provider",
            attribute="PROVIDER",
            package=package,
            group=ENTRY_POINT_GROUP,
            third_party=third_party,
        )
        self._clients: ClientPool[Connection, RedactedProvider] = ClientPool(self._build, clock)

    def names(self) -> Sequence[str]:
        """Sorted; one that is broken is among them, and `spec` says why it cannot be used.

        Raises ConfigInvalid where two providers have one name.
        """
        names = self._finder.names()
        return [name for name in names if self._offers(name)] if self._in_cloud else names

    def spec(self, name: str) -> ProviderSpec:
        """Raises NotFound, naming those that exist; ConfigInvalid where it is broken."""
        if name in self._finder:
            spec = self._finder.load(name)
            if not (self._in_cloud and spec.embedded_only):
                return spec
        raise NotFound(f"no provider {name!r}; there are: {', '.join(self.names())}")

    def client(self, connection: Connection) -> Provider:
        """The connection's client; made once, and anew when the record has changed.

        Raises:
            NotFound: no such provider.
            ConfigInvalid: its secret, URL or options are missing or wrong, or its secret is not
                allowed to go there.
        """
        client = self._clients.client(connection.name, connection)
        client.require_permission()
        return client

    @contextmanager
    def lease(self, connection: Connection) -> Iterator[Provider]:
        """The same for the length of a `with`: whatever changes meanwhile, it stays open."""
        with self._clients.lease(connection.name, connection) as client:
            # What its owner allowed may have changed since the client was made.
            client.require_permission()
            yield client

    def close(self) -> None:
        self._clients.close()

    def _offers(self, name: str) -> bool:
        try:
            return not self._finder.load(name).embedded_only
        except ConfigInvalid:
            return True

    def _build(self, connection: Connection) -> RedactedProvider:
        spec = self.spec(connection.provider)
        connection = _completed(connection, spec)
        secret = BoundSecret(self._secrets, spec.secret_of(connection), spec.secret_use(connection))
        known = KnownSecrets(secret)
        provider = spec.build(
            ProviderContext(
                connection=connection,
                secrets=known,
                clock=self._clock,
                data_dir=self._data_dir,
                transport=self._transport,
                installation=self._installation,
            )
        )
        return RedactedProvider(provider, known)


def _completed(connection: Connection, spec: ProviderSpec) -> Connection:
    """With the provider's default URL. Raises ConfigInvalid where something needed is missing."""
    base_url = connection.base_url or spec.default_base_url
    if spec.needs_url and not base_url:
        raise ConfigInvalid(f"connection {connection.name} needs a base URL for {spec.title}")
    if spec.needs_secret and not connection.secret:
        raise ConfigInvalid(f"connection {connection.name} needs a secret for {spec.title}")
    return replace(connection, base_url=base_url)
