"""Nothing that a server does keeps a call longer than its exchange may take.

Real sockets, and servers that break the rules by intent. Every case took as long as the server
wished where only the body was bounded.
"""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.builders import FakeClock
from tests.hostile_servers import (
    HOSTILE,
    MUCH_LONGER,
    Act,
    half_an_answer,
    headers_a_byte_at_a_time,
    serving,
)
from tests.open_secrets import OpenSecrets
from trainbell.errors import ProviderError, ProviderUnavailable, StartOutcomeUnknown
from trainbell.providers.credentials import HeaderSecret
from trainbell.providers.http import ServiceHttp, Timeouts
from trainbell.providers.service_call import Call, Effect

WHOLE = 0.6


class Secrets(OpenSecrets):
    def read(self, reference: str) -> str:
        return f"secret behind {reference}"


def a_service(base_url: str) -> ServiceHttp:
    return ServiceHttp(
        provider="Acme",
        base_url=base_url,
        credential=HeaderSecret(Secrets(), "env:KEY", scheme="Key"),
        clock=FakeClock(),
        timeouts=Timeouts(connect=WHOLE, read=MUCH_LONGER, whole=WHOLE),
    )


@pytest.mark.parametrize("act", HOSTILE, ids=lambda act: act.__name__)
@pytest.mark.parametrize("effect", [Effect.READ, Effect.START])
def test_an_exchange_ends_in_time_whatever_the_server_does(act: Act, effect: Effect) -> None:
    with serving(act) as base_url:
        service = a_service(base_url)
        begun = time.monotonic()
        with pytest.raises(ProviderError) as raised:
            service.send(Call(operation="get a job", path="/jobs/1", effect=effect))
        took = time.monotonic() - begun
        service.close()
    assert took < MUCH_LONGER / 2
    if effect is Effect.START:
        # It was sent, so that nothing but a look-up can tell what became of it.
        assert type(raised.value) is StartOutcomeUnknown


def test_a_connection_that_was_given_up_is_not_used_again() -> None:
    """A late answer to the first request must not be read as the answer to the second."""
    answers = [headers_a_byte_at_a_time, half_an_answer]
    seen: list[int] = []

    def act(client: socket.socket, stopped: threading.Event) -> None:
        seen.append(client.getpeername()[1])
        answers[min(len(seen), 2) - 1](client, stopped)

    with serving(act) as base_url:
        service = a_service(base_url)
        for _ in range(2):
            with pytest.raises(ProviderError):
                service.send(Call(operation="get a job", path="/jobs/1"))
        service.close()
    assert len(set(seen)) == 2


def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ProviderUnavailable):
        a_service(f"http://127.0.0.1:{port}").send(
            Call(operation="start", path="/jobs", effect=Effect.START, method="POST")
        )
