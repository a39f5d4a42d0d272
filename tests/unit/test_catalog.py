"""The catalog: providers found by name, clients kept per connection."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from tests.builders import FakeClock, a_connection
from tests.inner_provider import inner
from tests.open_secrets import OpenSecrets
from trainbell.domain.observation import Observation
from trainbell.domain.secret_bounds import SecretUse
from trainbell.errors import ConfigInvalid, NotFound, ProviderAuthFailed
from trainbell.extensions.client_pool import MAX_CLIENTS, RETIRED_FOR
from trainbell.ports import (
    Handle,
    Provider,
    ProviderCatalog,
    ProviderContext,
    ProviderSpec,
    ServiceState,
    ServiceStatus,
    StartOrder,
)
from trainbell.providers.catalog import Catalog


class NoSecrets(OpenSecrets):
    def read(self, reference: str) -> str:
        raise ConfigInvalid(f"{reference} is not set")


class Client:
    """A client that only remembers from what it was built and whether it was closed."""

    def __init__(self, context: ProviderContext) -> None:
        self.context = context
        self.closed = False

    def start(self, order: StartOrder) -> Handle:
        raise NotImplementedError

    def find(self, order: StartOrder) -> Handle | None:
        raise NotImplementedError

    def poll(self, handle: Handle) -> Observation:
        raise NotImplementedError

    def cancel(self, handle: Handle) -> None:
        raise NotImplementedError

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        raise NotImplementedError

    def forget(self, handle: Handle) -> None:
        raise NotImplementedError

    def check(self) -> str:
        raise NotImplementedError

    def close(self) -> None:
        self.closed = True


STATUS = ServiceStatus(state=ServiceState.LIVE, as_of="2026-01-01", note="n", source="s")


def a_spec(name: str, **fields: Any) -> ProviderSpec:
    given: dict[str, Any] = {"title": name, "kinds": {}, "service": STATUS, "build": Client}
    return ProviderSpec(name=name, **{**given, **fields})


SPECS = {name: a_spec(name) for name in ("acme", "other", "deepva")}
SPECS["here"] = a_spec("here", embedded_only=True, needs_url=False, needs_secret=False)
SPECS["hosted"] = a_spec("hosted", default_base_url="https://hosted.example.com")


class Entry:
    """An entry point that gives a spec without a module to load it from."""

    def __init__(self, name: str, loads: Callable[[], object]) -> None:
        self.name, self.value, self.load = name, f"somewhere:{name}", loads


def a_catalog(*names: str, clock: FakeClock | None = None, **fields: Any) -> Catalog:
    entries = [Entry(name, lambda name=name: SPECS[name]) for name in names]  # type: ignore[misc]
    return Catalog(
        NoSecrets(),
        clock or FakeClock(),
        **{"third_party": lambda: entries, **fields},
    )


def of(provider: str, name: str = "one", **fields: Any) -> Any:
    given = {"base_url": "https://api.example.com", "secret": "env:KEY"}
    return a_connection(name=name, provider=provider, **{**given, **fields})


def as_client(provider: Provider) -> Client:
    client = inner(provider)
    assert isinstance(client, Client)
    return client


# ---------------------------------------------------------------- found by name


def test_folders_and_entry_points_are_found_together() -> None:
    catalog: ProviderCatalog = a_catalog("acme")
    assert {"acme", "deepva"} <= set(catalog.names())
    assert list(catalog.names()) == sorted(catalog.names())
    assert catalog.spec("acme") is SPECS["acme"]
    assert catalog.spec("deepva").title == "DeepVA"


def test_a_provider_is_imported_when_it_is_asked_for_and_its_http_client_only_to_call() -> None:
    script = (
        "import sys\n"
        "from trainbell.providers.catalog import Catalog\n"
        "catalog = Catalog(None, None)\n"
        "assert 'deepva' in catalog.names()\n"
        "assert 'trainbell.providers.deepva' not in sys.modules\n"
        "catalog.spec('deepva')\n"
        "assert 'trainbell.providers.deepva' in sys.modules\n"
        "assert 'httpx' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=30)


def test_an_unknown_name_names_those_that_exist() -> None:
    with pytest.raises(NotFound, match=r"no provider 'nope'; there are: .*acme.*deepva"):
        a_catalog("acme").spec("nope")


def test_what_needs_this_machine_is_not_offered_in_the_cloud() -> None:
    assert a_catalog("here").spec("here").embedded_only
    cloud = a_catalog("here", "acme", engine="cloud")
    assert "here" not in cloud.names()
    assert "acme" in cloud.names()
    with pytest.raises(NotFound) as raised:
        cloud.client(of("here"))
    assert "here" not in str(raised.value).partition("there are")[2]


@pytest.mark.parametrize("names", [("deepva",), ("acme", "acme")])
def test_a_name_that_two_providers_have_is_a_wrong_setting(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigInvalid, match=f"two providers are called '{names[0]}'"):
        a_catalog(*names).names()


def test_a_broken_third_party_provider_says_so() -> None:
    def missing() -> object:
        raise ImportError("no module named left_pad")

    entries = [Entry("broken", missing), Entry("odd", lambda: 3)]
    catalog = a_catalog(third_party=lambda: entries)
    with pytest.raises(ConfigInvalid, match=r"'broken' .*cannot be loaded: .*left_pad"):
        catalog.spec("broken")
    with pytest.raises(ConfigInvalid, match=r"somewhere:odd is listed .* but gives no PROVIDER"):
        catalog.spec("odd")


def test_a_provider_that_calls_itself_otherwise_says_so() -> None:
    catalog = a_catalog(third_party=lambda: [Entry("acme2", lambda: SPECS["acme"])])
    with pytest.raises(ConfigInvalid, match="found as 'acme2' but calls itself 'acme'"):
        catalog.spec("acme2")


def test_a_folder_without_a_provider_or_with_a_broken_import_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, text in {"": "", "empty": "", "broken": "import no_such_module_anywhere"}.items():
        (tmp_path / "some_providers" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "some_providers" / folder / "__init__.py").write_text(text)
    (tmp_path / "some_providers" / "a_module.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    catalog = a_catalog(package="some_providers")
    assert catalog.names() == ["broken", "empty"]
    with pytest.raises(ConfigInvalid, match=r"some_providers.empty is listed .* no PROVIDER"):
        catalog.spec("empty")
    with pytest.raises(ConfigInvalid, match=r"'broken' .*loaded: .*no_such_module_anywhere"):
        catalog.spec("broken")


def test_a_broken_provider_does_not_take_the_others_along_in_the_cloud() -> None:
    def missing() -> object:
        raise RuntimeError("no licence")

    entries = [Entry("broken", missing), Entry("here", lambda: SPECS["here"])]
    cloud = a_catalog(third_party=lambda: entries, engine="cloud")
    assert {"broken", "deepva"} <= set(cloud.names())
    assert "here" not in cloud.names()


# ---------------------------------------------------------------- clients


def test_a_client_is_made_once_and_anew_when_its_connection_changes() -> None:
    clock = FakeClock()
    catalog = a_catalog("acme", clock=clock)
    first = as_client(catalog.client(of("acme")))
    assert as_client(catalog.client(of("acme"))) is first
    assert as_client(catalog.client(of("acme", "two"))) is not first
    changed = of("acme", base_url="https://elsewhere.example.com")
    second = as_client(catalog.client(changed))
    assert second is not first
    assert second.context.connection.base_url == "https://elsewhere.example.com"
    assert as_client(catalog.client(changed)) is second


def test_a_replaced_client_is_closed_only_when_no_call_can_be_using_it() -> None:
    clock = FakeClock()
    catalog = a_catalog("acme", clock=clock)
    first = as_client(catalog.client(of("acme")))
    catalog.client(of("acme", max_active=2))
    catalog.client(of("acme", "two"))
    assert not first.closed
    clock.advance(RETIRED_FOR.total_seconds())
    catalog.client(of("acme", "three"))
    assert first.closed


def test_clients_are_bounded_and_the_longest_unused_goes() -> None:
    clock = FakeClock()
    catalog = a_catalog("acme", clock=clock)
    clients = [as_client(catalog.client(of("acme", f"c{n}"))) for n in range(MAX_CLIENTS)]
    catalog.client(of("acme", "c0"))
    catalog.client(of("acme", "one more"))
    assert as_client(catalog.client(of("acme", "c0"))) is clients[0]
    clock.advance(RETIRED_FOR.total_seconds())
    assert as_client(catalog.client(of("acme", "c1"))) is not clients[1]
    assert [n for n, client in enumerate(clients) if client.closed] == [1]


def test_a_leased_client_stays_open_for_as_long_as_it_is_leased() -> None:
    catalog = a_catalog("acme")
    with catalog.lease(of("acme")) as first:
        with catalog.lease(of("acme", max_active=2)) as second:
            assert second is not first
        assert not as_client(first).closed
    assert as_client(first).closed


def test_close_closes_all() -> None:
    catalog = a_catalog("acme")
    clients = [as_client(catalog.client(of("acme", max_active=n))) for n in (1, 2)]
    catalog.close()
    assert all(client.closed for client in clients)


def test_many_threads_get_one_client() -> None:
    made: list[Client] = []
    together = Barrier(16)

    def slow(context: ProviderContext) -> Client:
        time.sleep(0.02)
        made.append(Client(context))
        return made[-1]

    spec = a_spec("acme", build=slow)
    catalog = a_catalog(third_party=lambda: [Entry("acme", lambda: spec)])
    got: list[object] = []

    def ask() -> None:
        together.wait()
        got.append(as_client(catalog.client(of("acme"))))

    threads = [Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert got == [made[0]] * 16


def test_what_a_connection_lacks_is_a_wrong_setting() -> None:
    catalog = a_catalog("acme", "here", "hosted")
    with pytest.raises(ConfigInvalid, match="connection one needs a base URL for acme"):
        catalog.client(of("acme", base_url=None))
    with pytest.raises(ConfigInvalid, match="connection one needs a secret for acme"):
        catalog.client(of("acme", secret=None))
    assert catalog.client(of("here", base_url=None, secret=None))
    hosted = as_client(catalog.client(of("hosted", "two", base_url=None)))
    assert hosted.context.connection.base_url == "https://hosted.example.com"


def test_a_failed_build_is_tried_again() -> None:
    catalog = Catalog(NoSecrets(), FakeClock())
    for _ in range(2):
        with pytest.raises(ConfigInvalid, match="env:KEY is not set"):
            catalog.client(of("deepva"))


# ---------------------------------------------------------------- secrets and where they may go


class Vault(OpenSecrets):
    """Its owner changes what is allowed."""

    def __init__(self) -> None:
        self.forbids = False
        self.asked: list[tuple[str, SecretUse]] = []
        self.renewed: list[str] = []

    def refusal(self, reference: str, use: SecretUse) -> str | None:
        self.asked.append((reference, use))
        return "not there" if self.forbids else None

    def renew(self, reference: str) -> None:
        self.renewed.append(reference)

    def read(self, reference: str) -> str:
        return "a-secret"


class Keeping(Client):
    """A provider that reads its secret once and keeps it, as a plugin may."""

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        assert context.connection.secret is not None
        self.secret = context.secrets.read(context.connection.secret)

    def check(self) -> str:
        raise ProviderAuthFailed("the key is refused", provider="acme", operation="check")


def keeping(vault: Vault) -> Catalog:
    spec = a_spec("acme", build=Keeping, default_base_url="https://api.acme.example/v1")
    entries: Any = [Entry("acme", lambda: spec)]
    return Catalog(vault, FakeClock(), third_party=lambda: entries)


def test_a_client_that_keeps_its_secret_is_not_lent_once_it_is_forbidden() -> None:
    vault = Vault()
    catalog = keeping(vault)
    connection = of("acme", base_url="https://lab.example:8443/v1")
    with catalog.lease(connection):
        pass
    vault.forbids = True
    with pytest.raises(ConfigInvalid, match="not there"), catalog.lease(connection):
        pytest.fail("it was lent")
    with pytest.raises(ConfigInvalid, match="not there"):
        catalog.client(connection)
    reference, use = vault.asked[-1]
    assert (reference, use.user) == ("env:KEY", "acme")
    assert [str(each) for each in use.destinations] == ["lab.example:8443"]
    assert [str(each) for each in use.own_hosts] == ["api.acme.example"]


def test_nothing_is_built_with_a_secret_that_may_not_go_there() -> None:
    vault = Vault()
    vault.forbids = True
    with pytest.raises(ConfigInvalid, match="not there"):
        keeping(vault).client(of("acme"))


def test_a_refused_secret_is_renewed_whatever_the_provider_keeps() -> None:
    vault = Vault()
    with keeping(vault).lease(of("acme")) as client, pytest.raises(ProviderAuthFailed):
        client.check()
    assert vault.renewed == ["env:KEY"]
