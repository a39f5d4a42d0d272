"""Proof of who calls: a short-lived token, got for an assertion signed with the account's key.

The assertion is a JSON Web Token, signed RS256 (RFC 7515, RFC 7523). The token is shared by all
jobs of the connection and renewed shortly before it ends, or when the service refuses it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from trainbell.errors import (
    ConfigInvalid,
    ProviderAuthFailed,
    ProviderError,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderUnavailable,
)
from trainbell.ports import Clock, SecretSource
from trainbell.providers.einstein.vendor_models import Token
from trainbell.providers.http import ServiceHttp
from trainbell.providers.service_call import Call

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

TOKEN_PATH = "/v2/oauth2/token"  # noqa: S105 - a path
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
OPERATION = "get an access token"
DEFAULT_SECONDS = 60
ASSERTION_SECONDS = 300
"""Long enough for clocks that differ by minutes; the assertion is used at once."""
LONGEST_MARGIN_SECONDS = 10.0
MAX_TOKEN_BYTES = 20_000


class AccountKey:
    """The private key behind a connection's secret reference, read anew for each assertion. Also
    what the call for a token is made with: that proves itself by its body, so no header is added.
    """

    def __init__(self, source: SecretSource, reference: str, account: str) -> None:
        """Raises ConfigInvalid where the secret cannot be had or is empty."""
        self._source = source
        self._reference = reference
        self._account = account
        self._shown: tuple[str, ...] = ()
        self._pem = self._read()
        self._loaded: RSAPrivateKey | None = None

    def assertion(self, audience: str, now: datetime) -> str:
        """Who we are, for this audience, for five minutes.

        Raises:
            ConfigInvalid: the secret is no RSA private key in PEM form.
        """
        claims = {
            "sub": self._account,
            "aud": audience,
            "exp": int(now.timestamp()) + ASSERTION_SECONDS,
        }
        self._renew()
        signed = _part({"alg": "RS256", "typ": "JWT"}) + "." + _part(claims)
        signature = _base64url(self._rs256(signed.encode()))
        whole = f"{signed}.{signature}"
        self._shown = (whole, signature)
        return whole

    def _renew(self) -> None:
        pem = self._read()
        if pem != self._pem:
            self._pem, self._loaded = pem, None

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        del method, url, body
        return {"Cache-Control": "no-cache"}

    def secrets(self) -> Sequence[str]:
        return [self._pem, *self._shown]

    def refused(self) -> None:
        """Nothing to drop."""

    def _rs256(self, message: bytes) -> bytes:
        # Imported here: 17 ms that no other provider's poll should pay.
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        if self._loaded is None:
            # Kept, because loading proves the key for as long as 30 ms.
            self._loaded = _rsa_key(self._pem, self._reference)
        return self._loaded.sign(message, PKCS1v15(), SHA256())

    def _read(self) -> str:
        pem = self._source.read(self._reference).strip()
        if not pem:
            raise ConfigInvalid(f"the secret {self._reference} is empty")
        # An environment variable often holds a key on one line, its line ends written out.
        return pem if "\n" in pem else pem.replace("\\n", "\n")


@dataclass(frozen=True, slots=True)
class _Held:
    token: str
    asked_at: datetime
    good_until: datetime


class AccessToken:
    """The `Credential` of every other call. Thread-safe: one thread renews, the rest wait."""

    def __init__(self, http: ServiceHttp, key: AccountKey, clock: Clock, seconds: int) -> None:
        self._http = http
        self._key = key
        self._clock = clock
        self._seconds = seconds
        self._lock = Lock()
        self._held: _Held | None = None
        self._former: str | None = None

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """A token that is still good, a new one where there is none.

        Raises:
            ConfigInvalid: the secret is no key.
            ProviderAuthFailed: the service does not take the key or the account.
            ProviderUnavailable, ProviderThrottled: no token can be had now. Whatever was to be
                called was not called, so a start surely was not sent.
        """
        del method, url, body
        with self._lock:
            now = self._clock.now()
            held = self._held
            if held is None or not held.asked_at <= now < held.good_until:
                held = self._renewed(now)
            return {"Authorization": f"Bearer {held.token}", "Cache-Control": "no-cache"}

    def secrets(self) -> Sequence[str]:
        held = self._held
        tokens = (held.token if held else None, self._former)
        return [*(token for token in tokens if token), *self._key.secrets()]

    def refused(self) -> None:
        with self._lock:
            self._drop()

    def close(self) -> None:
        self._http.close()

    def _drop(self) -> None:
        if self._held is not None:
            self._former = self._held.token
        self._held = None

    def _renewed(self, now: datetime) -> _Held:
        self._drop()
        form = {
            "grant_type": GRANT_TYPE,
            "assertion": self._key.assertion(self._http.base_url + TOKEN_PATH, now),
        }
        if self._seconds != DEFAULT_SECONDS:
            form["valid_for"] = str(self._seconds)
        token = self._ask(form)
        seconds = token.seconds() or float(self._seconds)
        margin = min(LONGEST_MARGIN_SECONDS, seconds / 6)
        good_until = now + timedelta(seconds=min(seconds - margin, 86_400.0))
        self._held = _Held(token.access_token, now, good_until)
        return self._held

    def _ask(self, form: Mapping[str, str]) -> Token:
        call = Call(
            operation=OPERATION,
            method="POST",
            path=TOKEN_PATH,
            content=urlencode(form).encode(),
            content_type="application/x-www-form-urlencoded",
            max_bytes=MAX_TOKEN_BYTES,
        )
        try:
            return self._http.send(call).model(Token)
        except (ProviderRejected, ProviderAuthFailed) as exc:
            raise _retyped(ProviderAuthFailed, exc) from exc
        except ProviderReplyInvalid as exc:
            raise _retyped(ProviderUnavailable, exc) from exc


def _retyped(kind: type[ProviderError], error: ProviderError) -> ProviderError:
    return kind(
        str(error),
        provider=error.provider,
        operation=error.operation,
        http_status=error.http_status,
        vendor_code=error.vendor_code,
        request_id=error.request_id,
        details=error.details,
    )


def _rsa_key(pem: str, reference: str) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ConfigInvalid(
            f"the secret {reference} is not a private key in PEM form without a password"
        ) from exc
    if not isinstance(key, RSAPrivateKey):
        raise ConfigInvalid(f"the secret {reference} is a key, but not an RSA one")
    return key


def _part(value: Mapping[str, object]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
