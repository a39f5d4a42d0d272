"""Which connection a name means, and that one broken provider concerns nobody else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydantic import BaseModel

from tests.builders import NOON
from tests.toy_service import ToyProviders, ToyService, a_trainbell, toy_spec
from trainbell.domain.settings import Connection
from trainbell.errors import ConfigInvalid, NotFound
from trainbell.ports import ProviderSpec
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.find_connection import built_in_connections, find_connection


class WithABrokenOne(ToyProviders):
    def names(self) -> Sequence[str]:
        return ["broken", "toy"]

    def spec(self, name: str) -> ProviderSpec:
        if name == "broken":
            raise ConfigInvalid("the provider broken cannot be loaded")
        return super().spec(name)


def test_a_broken_provider_concerns_only_its_own_connection(
    store: SqliteStore, service: ToyService
) -> None:
    services = a_trainbell(store, service, providers=WithABrokenOne(service, toy_spec(service)))
    store.put_config(Connection(name="mine", provider="toy", created_at=NOON))
    assert [each.name for each in built_in_connections(services)] == ["toy"]
    assert find_connection(services, "mine").provider == "toy"
    assert find_connection(services, "toy").provider == "toy"
    with pytest.raises(NotFound, match="these exist: mine, toy"):
        find_connection(services, "nowhere")
    with pytest.raises(ConfigInvalid):
        find_connection(services, "broken")


class NeedsARegion(BaseModel):
    region: str


def test_a_provider_that_needs_an_option_has_no_built_in_connection(
    store: SqliteStore, service: ToyService
) -> None:
    services = a_trainbell(store, service, spec={"options": NeedsARegion})
    assert built_in_connections(services) == []
    with pytest.raises(NotFound, match="none is configured yet"):
        find_connection(services, "toy")
