"""Providers by name, and their live clients by connection.

A provider is a folder beside this file, or an entry point of the group `trainbell.providers` whose
name is the provider's and whose object is its `ProviderSpec`. Folders are listed without importing
them; a provider is imported when it is first asked for, so that a function that polls DeepVA never
loads another service's code.
"""

from __future__ import annotations

import pkgutil
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from threading import Lock
from typing import Any

from trainbell.domain.settings import Connection
from trainbell.errors import ConfigInvalid, NotFound
from trainbell.ports import Clock, Provider, ProviderContext, ProviderSpec, SecretSource

ENTRY_POINT_GROUP = "trainbell.providers"
MAX_CLIENTS = 256
RETIRED_FOR = timedelta(seconds=120)
"""How long a replaced client stays open: longer than any call that may still be using it."""


def installed_providers() -> Iterable[EntryPoint]:
    return entry_points(group=ENTRY_POINT_GROUP)


@dataclass(frozen=True, slots=True)
class _Made:
    """A client, and the record it was made from."""

    connection: Connection
    client: Provider


class Catalog:
    """The providers of this installation (`ports.ProviderCatalog`). Thread-safe."""

    def __init__(
        self,
        secrets: SecretSource,
        clock: Clock,
        data_dir: str | None = None,
        transport: Any = None,
        engine: str = "embedded",
        *,
        package: str = "trainbell.providers",
        third_party: Callable[[], Iterable[EntryPoint]] = installed_providers,
    ) -> None:
        """`engine`: "embedded" or "cloud"; providers that need this machine are not offered in the
        cloud. `transport` replaces the network of every client (tests)."""
        self._secrets = secrets
        self._clock = clock
        self._data_dir = data_dir
        self._transport = transport
        self._in_cloud = engine == "cloud"
        self._package = package
        self._third_party = third_party
        self._lock = Lock()
        self._found: Mapping[str, EntryPoint | None] | None = None
        self._specs: dict[str, ProviderSpec] = {}
        self._making: dict[str, Lock] = {}
        self._made: OrderedDict[str, _Made] = OrderedDict()
        self._retired: list[tuple[datetime, Provider]] = []

    def names(self) -> Sequence[str]:
        """Sorted. Raises ConfigInvalid where two providers have one name."""
        names = sorted(self._find())
        return [n for n in names if self._offers(self._load(n))] if self._in_cloud else names

    def spec(self, name: str) -> ProviderSpec:
        """Raises NotFound, naming those that exist; ConfigInvalid where its folder is broken."""
        if name in self._find():
            spec = self._load(name)
            if self._offers(spec):
                return spec
        raise NotFound(f"no provider {name!r}; there are: {', '.join(self.names())}")

    def client(self, connection: Connection) -> Provider:
        """The connection's client; made once, and anew when the record has changed.

        Raises:
            NotFound: no such provider.
            ConfigInvalid: its secret, URL or options are missing or wrong.
        """
        made = self._kept(connection)
        if made is not None:
            return made
        with self._lock:
            making = self._making.setdefault(connection.name, Lock())
        with making:
            # Another thread may have made it meanwhile.
            return self._kept(connection) or self._make(connection)

    def close(self) -> None:
        with self._lock:
            open_ = [made.client for made in self._made.values()]
            open_ += [client for _, client in self._retired]
            self._made.clear()
            self._retired.clear()
        for client in open_:
            client.close()

    def _offers(self, spec: ProviderSpec) -> bool:
        return not (self._in_cloud and spec.embedded_only)

    def _find(self) -> Mapping[str, EntryPoint | None]:
        """Every provider's name; None stands for a folder of the package."""
        if self._found is None:
            paths = import_module(self._package).__path__
            found: dict[str, EntryPoint | None] = {
                module.name: None for module in pkgutil.iter_modules(paths) if module.ispkg
            }
            for entry in self._third_party():
                if entry.name in found:
                    raise ConfigInvalid(
                        f"two providers are called {entry.name!r}; one of them is {entry.value}"
                    )
                found[entry.name] = entry
            self._found = found
        return self._found

    def _load(self, name: str) -> ProviderSpec:
        with suppress(KeyError):
            return self._specs[name]
        entry = self._find()[name]
        if entry is None:
            place = f"{self._package}.{name}"
            spec = getattr(import_module(place), "PROVIDER", None)
        else:
            place = entry.value
            spec = _loaded(entry)
        if not isinstance(spec, ProviderSpec):
            raise ConfigInvalid(f"{place} is listed as a provider but gives no PROVIDER")
        if spec.name != name:
            raise ConfigInvalid(f"{place} is found as {name!r} but calls itself {spec.name!r}")
        self._specs[name] = spec
        return spec

    def _kept(self, connection: Connection) -> Provider | None:
        with self._lock:
            made = self._made.get(connection.name)
            if made is None or made.connection != connection:
                return None
            self._made.move_to_end(connection.name)
            return made.client

    def _make(self, connection: Connection) -> Provider:
        spec = self.spec(connection.provider)
        client = spec.build(
            ProviderContext(
                connection=_completed(connection, spec),
                secrets=self._secrets,
                clock=self._clock,
                data_dir=self._data_dir,
                transport=self._transport,
            )
        )
        now = self._clock.now()
        with self._lock:
            former = self._made.pop(connection.name, None)
            self._made[connection.name] = _Made(connection, client)
            surplus = [former] if former else []
            while len(self._made) > MAX_CLIENTS:
                surplus.append(self._made.popitem(last=False)[1])
            past = [c for until, c in self._retired if until <= now]
            self._retired = [(until, c) for until, c in self._retired if until > now]
            self._retired += [(now + RETIRED_FOR, made.client) for made in surplus]
        for retired in past:
            retired.close()
        return client


def _loaded(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except (ImportError, AttributeError) as exc:
        raise ConfigInvalid(
            f"the provider {entry.name!r} ({entry.value}) is installed but cannot be loaded: {exc}"
        ) from exc


def _completed(connection: Connection, spec: ProviderSpec) -> Connection:
    """With the provider's default URL. Raises ConfigInvalid where something needed is missing."""
    base_url = connection.base_url or spec.default_base_url
    if spec.needs_url and not base_url:
        raise ConfigInvalid(f"connection {connection.name} needs a base URL for {spec.title}")
    if spec.needs_secret and not connection.secret:
        raise ConfigInvalid(f"connection {connection.name} needs a secret for {spec.title}")
    return replace(connection, base_url=base_url)
