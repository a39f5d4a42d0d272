"""Who calls the simulated Einstein: JSON Web Tokens verified for real, access tokens that end."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.einstein.account_key import ACCOUNT, PRIVATE_KEY

TOKEN_PATH = "/v2/oauth2/token"  # noqa: S105 - a path
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEFAULT_SECONDS = 60
MAX_SECONDS = 30 * 86_400
PUBLIC_HOST = "api.einstein.ai"


class Refused(ValueError):
    """No token for this caller; says why."""


class Tokens:
    """The access tokens that are out. `issued` counts them."""

    def __init__(self, clock: SimulatorClock) -> None:
        self._clock = clock
        self._good_until: dict[str, datetime] = {}
        self._refresh: set[str] = set()
        self._key: RSAPublicKey | None = None
        self.issued = 0

    def grant(self, form: Mapping[str, str], host: str) -> dict[str, str]:
        """The answer to a request for a token. Raises Refused."""
        match form.get("grant_type"):
            case "refresh_token":
                if form.get("refresh_token") not in self._refresh:
                    raise Refused("Invalid refresh token")
            case kind if kind == JWT_GRANT:
                self._verify(form.get("assertion", ""), host)
            case _:
                raise Refused("Unsupported grant type")
        seconds = _seconds(form.get("valid_for", str(DEFAULT_SECONDS)))
        token = secrets.token_hex(48).upper()
        # Sped up, a second here is still a second to the caller.
        lifetime = timedelta(seconds=seconds * max(1.0, self._clock.speed))
        self._good_until[token] = self._clock.now() + lifetime
        self.issued += 1
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": str(seconds)}
        if form.get("scope") == "offline":
            answer["refresh_token"] = secrets.token_hex(48).upper()
            self._refresh.add(answer["refresh_token"])
        return answer

    def is_good(self, token: str) -> bool:
        until = self._good_until.get(token)
        return until is not None and self._clock.now() < until

    def revoke(self, token: str) -> bool:
        """False where it is not known."""
        if token in self._refresh:
            self._refresh.discard(token)
            return True
        return self._good_until.pop(token, None) is not None

    def revoke_all(self) -> None:
        """As a restart of the service would."""
        self._good_until.clear()

    def _verify(self, assertion: str, host: str) -> None:
        head, _, rest = assertion.partition(".")
        body, _, signature = rest.partition(".")
        try:
            header, claims = json.loads(_decoded(head)), json.loads(_decoded(body))
            if header["alg"] != "RS256":
                raise Refused("Invalid assertion: the algorithm must be RS256")
            signed = f"{head}.{body}".encode()
            self._public_key().verify(_decoded(signature), signed, PKCS1v15(), SHA256())
        except InvalidSignature as exc:
            raise Refused("Invalid assertion: the signature does not match") from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise exc if isinstance(exc, Refused) else Refused("Invalid assertion") from exc
        self._verify_claims(claims, host)

    def _verify_claims(self, claims: Any, host: str) -> None:
        if not isinstance(claims, dict) or claims.get("sub") != ACCOUNT:
            raise Refused("Invalid assertion: no such account")
        audiences = {f"https://{PUBLIC_HOST}{TOKEN_PATH}"}
        audiences |= {f"{scheme}://{host}{TOKEN_PATH}" for scheme in ("http", "https")}
        if claims.get("aud") not in audiences:
            raise Refused("Invalid assertion: aud is not this service's token URL")
        ends = claims.get("exp")
        if not isinstance(ends, int | float) or isinstance(ends, bool):
            raise Refused("Invalid assertion: exp is missing")
        # A sped-up simulator is ahead of its callers, who sign with the real time.
        now = min(self._clock.now(), datetime.now(UTC))
        if ends <= now.timestamp():
            raise Refused("Invalid assertion: it has expired")

    def _public_key(self) -> RSAPublicKey:
        if self._key is None:
            key = load_pem_private_key(PRIVATE_KEY.encode(), password=None).public_key()
            if not isinstance(key, RSAPublicKey):
                raise TypeError("the simulated account's key is no RSA key")
            self._key = key
        return self._key


def _seconds(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= MAX_SECONDS:
        raise Refused(f"valid_for must be 1 to {MAX_SECONDS} seconds")
    return int(value)


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
