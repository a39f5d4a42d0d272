"""Einstein's access token lives while a job is watched (E8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.builders import FakeClock, OneSecret, a_connection
from tests.contract.einstein.service import JOB, a_provider, an_order
from trainbell.domain.job import State
from trainbell.errors import (
    ConfigInvalid,
    ProviderAuthFailed,
    ProviderUnavailable,
)
from trainbell.providers.catalog import Catalog
from trainbell.providers.einstein.parameters import (
    EinsteinOptions,
)
from trainbell.providers.einstein.provider import Einstein
from trainbell.simulators.einstein import EinsteinSimulator
from trainbell.simulators.einstein.account_key import ACCOUNT, PRIVATE_KEY
from trainbell.simulators.einstein.trainings import (
    Plan,
)
from trainbell.simulators.faults import Fault, FaultKind


def test_E8_one_token_serves_until_shortly_before_its_end(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    handle = einstein.start(an_order())
    for _ in range(3):
        einstein.poll(handle)
    assert simulator.tokens.issued == 1
    pass_time(49)
    einstein.poll(handle)
    assert simulator.tokens.issued == 1
    pass_time(1)
    assert einstein.poll(handle).state is State.SUCCEEDED
    assert simulator.tokens.issued == 2


def test_E8_a_job_of_hours_is_watched_with_tokens_of_a_minute(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    simulator.account.plan = Plan(running_seconds=4 * 3600)
    handle = einstein.start(an_order())
    states = set()
    for _ in range(50):
        pass_time(290)
        states.add(einstein.poll(handle).state)
    assert states == {State.RUNNING, State.SUCCEEDED}
    assert simulator.tokens.issued == 51


def test_E8_a_token_that_is_refused_early_is_renewed_once_even_for_a_start(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    einstein.check()
    for call in (lambda: einstein.start(an_order()), einstein.check):
        simulator.tokens.revoke_all()
        call()
    assert simulator.starts == {f"trainbell:{JOB}": 1}
    assert simulator.tokens.issued == 3
    simulator.faults.add(Fault(kind=FaultKind.ERROR, status=401, path="/apiusage"))
    einstein.check()
    simulator.faults.add(Fault(kind=FaultKind.ERROR, status=401, path="/apiusage", times=2))
    with pytest.raises(ProviderAuthFailed):
        einstein.check()


def test_E8_a_longer_life_is_asked_for_where_it_is_wished(
    simulator: EinsteinSimulator,
    another: Callable[..., Einstein],
    pass_time: Callable[[float], None],
    clock: FakeClock,
) -> None:
    einstein = another(token_seconds=7200, clock=clock)
    einstein.check()
    pass_time(7000)
    einstein.check()
    assert simulator.tokens.issued == 1


@pytest.mark.parametrize(
    ("secret", "match"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "PEM form"),
        (PRIVATE_KEY.replace("RSA PRIVATE", "PUBLIC"), "PEM form"),
        ("no key at all", "PEM form"),
    ],
)
def test_E8_a_secret_that_is_no_key_is_one_clear_error(
    another: Callable[..., Einstein], secret: str, match: str
) -> None:
    with pytest.raises(ProviderAuthFailed, match=match) as raised:
        another(secret=secret).check()
    assert "MII" not in str(raised.value)


@pytest.mark.parametrize("size", [2048, None])
def test_E8_a_key_of_another_account_or_kind_is_refused(
    another: Callable[..., Einstein], size: int | None
) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = rsa.generate_private_key(65537, size) if size else ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    words = "signature does not match" if size else "not an RSA one"
    with pytest.raises(ProviderAuthFailed, match=words):
        another(secret=pem).check()


def test_E8_a_wrong_account_is_refused(another: Callable[..., Einstein]) -> None:
    with pytest.raises(ProviderAuthFailed, match="no such account") as raised:
        another(account="somebody@example.com").check()
    assert raised.value.http_status == 400


def test_E8_a_key_on_one_line_works_and_so_does_one_that_was_mended(
    another: Callable[..., Einstein],
) -> None:
    secret = OneSecret("no key")
    einstein = another(secret=secret)
    with pytest.raises(ProviderAuthFailed):
        einstein.check()
    secret.secret = PRIVATE_KEY.strip().replace("\n", "\\n")
    assert einstein.check() == "Einstein answered: 1 month of usage in this plan"


@pytest.mark.parametrize(
    "kind", [FaultKind.ERROR, FaultKind.DROPPED_AFTER, FaultKind.HTML, FaultKind.HALF_JSON]
)
def test_E8_no_token_means_that_no_start_was_sent(
    einstein: Einstein, simulator: EinsteinSimulator, kind: FaultKind
) -> None:
    simulator.faults.add(Fault(kind=kind, path="oauth2"))
    with pytest.raises(ProviderUnavailable):
        einstein.start(an_order())
    assert not simulator.starts
    einstein.start(an_order())


@pytest.mark.parametrize("status", [400, 429, 500])
def test_E8_neither_token_nor_assertion_is_shown(
    einstein: Einstein, simulator: EinsteinSimulator, status: int
) -> None:
    handle = einstein.start(an_order())
    token = next(iter(simulator.tokens._good_until))
    simulator.faults.add(Fault(kind=FaultKind.ECHO, status=status))
    with pytest.raises(Exception, match=str(status)) as raised:
        einstein.poll(handle)
    assert token not in str(raised.value) + repr(vars(raised.value))


@pytest.mark.parametrize("expires_in", ['"60"', "60", "60.0", '"soon"', "null", "-5", '"NaN"'])
def test_E8_the_life_of_a_token_is_a_string_of_seconds_or_anything_else(expires_in: str) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/oauth2/token":
            asked.append(request.content)
            assert request.headers["cache-control"] == "no-cache"
            body = f'{{"access_token": "T", "token_type": "Bearer", "expires_in": {expires_in}}}'
            return httpx.Response(200, content=body)
        assert request.headers["authorization"] == "Bearer T"
        assert request.headers["cache-control"] == "no-cache"
        return httpx.Response(200, json={"object": "list", "data": []})

    clock = FakeClock()
    einstein = a_provider(
        "https://api.einstein.ai", transport=httpx.MockTransport(answer), clock=clock
    )
    for seconds in (0, 49, 1):
        clock.advance(seconds)
        einstein.check()
    assert len(asked) == 2
    assert asked[0].startswith(b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"account": "nobody"},
        {"account": ACCOUNT, "token_seconds": 59},
        {"account": ACCOUNT, "x": 1},
        {"account": ACCOUNT, "token_seconds": 2_592_001},
    ],
)
def test_E8_the_connection_names_its_account(options: dict[str, Any]) -> None:
    catalog = Catalog(OneSecret(PRIVATE_KEY), FakeClock())
    with pytest.raises(ConfigInvalid, match="needs the option account"):
        catalog.client(a_connection(provider="einstein", options=options))
    EinsteinOptions.model_validate({"account": ACCOUNT, "token_seconds": 2_592_000})
