"""What a connection shows to its service to prove who calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Protocol, runtime_checkable

from trainbell.errors import ConfigInvalid
from trainbell.ports import ProviderContext, SecretSource


class Credential(Protocol):
    """Headers that prove who calls. Thread-safe."""

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The headers for this very request (a signature covers method, URL and body).

        Raises:
            ConfigInvalid: the secret cannot be had, or cannot be sent.
        """
        ...

    def secrets(self) -> Sequence[str]:
        """What must never be shown: every secret in use now."""
        ...

    def refused(self) -> None:
        """The service answered 401 or 403: get the secret anew before the next call."""
        ...


@runtime_checkable
class RequestSigner(Credential, Protocol):
    """A credential whose proof covers the request's other headers, too: `signed` takes the place
    of `headers`."""

    def signed(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        """The headers to add to these. Raises ConfigInvalid as `headers` does."""
        ...


class HeaderSecret:
    """A secret sent as it is in one header, e.g. `Authorization: Key …`.

    It is asked for anew with each call; for how long the source keeps it is the source's business.
    So a secret that was changed, mended or withdrawn there counts without a restart.
    """

    def __init__(
        self, source: SecretSource, reference: str, *, header: str = "Authorization", scheme: str
    ) -> None:
        self._source = source
        self._reference = reference
        self._header = header
        self._scheme = scheme
        self._lock = Lock()
        self._secret: str | None = None
        self._headers: Mapping[str, str] = {}
        self._former: str | None = None
        self._read()

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        del method, url, body
        with self._lock:
            self._read()
            return self._headers

    def secrets(self) -> Sequence[str]:
        # The former one too: an answer to a call made with it may still be on its way.
        return [secret for secret in (self._secret, self._former) if secret]

    def refused(self) -> None:
        """Nothing to drop."""

    def _read(self) -> None:
        secret = self._source.read(self._reference).strip()
        if secret == self._secret:
            return
        if not secret:
            raise ConfigInvalid(f"the secret {self._reference} is empty")
        if not (secret.isascii() and secret.isprintable()):
            raise ConfigInvalid(
                f"the secret {self._reference} holds characters that no header can carry"
            )
        self._former, self._secret = self._secret, secret
        self._headers = {self._header: f"{self._scheme} {secret}".strip()}


def secret_reference(context: ProviderContext) -> str:
    """The connection's reference to its secret. Raises ConfigInvalid where it has none."""
    connection = context.connection
    if not connection.secret:
        raise ConfigInvalid(f"connection {connection.name} needs a secret (env:NAME, file:/path …)")
    return connection.secret


def service_url(context: ProviderContext) -> str:
    """The connection's base URL. Raises ConfigInvalid where it has none."""
    connection = context.connection
    if not connection.base_url:
        raise ConfigInvalid(f"connection {connection.name} needs a base URL")
    return connection.base_url
