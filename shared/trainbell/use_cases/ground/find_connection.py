"""Which connection a name means: a stored one, or the one that a provider brings by itself."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.domain.settings import Connection
from trainbell.errors import NotFound
from trainbell.ports import ProviderSpec
from trainbell.use_cases.ground.find_providers import all_providers
from trainbell.use_cases.ground.services import Services

NAMES_SHOWN = 20


def find_connection(services: Services, name: str) -> Connection:
    """The stored connection of this name; or, for a provider that needs neither URL nor secret,
    the built-in one that has the provider's name.

    Raises:
        NotFound: neither; names those that exist.
    """
    stored = services.store.get_config(Connection, name)
    if stored is not None:
        return stored
    if name in services.providers.names():
        spec = services.providers.spec(name)
        if _works_unconfigured(spec, services.engine):
            return Connection(name=spec.name, provider=spec.name)
    raise NotFound(f"there is no connection {name!r}; {_those_that_exist(services)}")


def built_in_connections(services: Services) -> Sequence[Connection]:
    """Connections that work without being configured, by name."""
    return [
        Connection(name=spec.name, provider=spec.name)
        for spec in all_providers(services)
        if _works_unconfigured(spec, services.engine)
    ]


def _works_unconfigured(spec: ProviderSpec, engine: str) -> bool:
    if spec.embedded_only and engine != "embedded":
        return False
    if spec.options is not None and any(
        field.is_required() for field in spec.options.model_fields.values()
    ):
        return False
    return not spec.needs_secret and not (spec.needs_url and spec.default_base_url is None)


def _those_that_exist(services: Services) -> str:
    page = services.store.list_config(Connection, limit=NAMES_SHOWN)
    names = {connection.name for connection in page.items}
    names.update(connection.name for connection in built_in_connections(services))
    if not names:
        return "none is configured yet"
    return "these exist: " + ", ".join(sorted(names)) + (", …" if page.next_cursor else "")
