"""AWS Signature Version 4 over Trainbell's own HTTP, by botocore's signer.

Today's boto3 has no client for this service any more, and its signer is all that is needed of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trainbell.errors import ConfigInvalid
from trainbell.ports import Clock, SecretSource

if TYPE_CHECKING:
    from botocore.credentials import Credentials

SIGNING_NAME = "lookoutvision"
TIME_FORMAT = "%Y%m%dT%H%M%SZ"


class Keys(NamedTuple):
    """One set of AWS credentials, with the names that botocore's signer reads."""

    access_key: str
    secret_key: str
    token: str | None = None


KeySource = Callable[[], Keys]
"""Gives the keys to sign with now. Raises ConfigInvalid where there are none."""


class _KeyDocument(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    access_key_id: str = Field(pattern=r"^[A-Za-z0-9_]{1,128}$")
    secret_access_key: str = Field(pattern=r"^[!-~]{1,256}$")
    session_token: str | None = Field(default=None, pattern=r"^[!-~]{1,8192}$")


def keys_in(text: str, reference: str) -> Keys:
    """The keys that a connection's secret holds as JSON.

    Raises:
        ConfigInvalid: it is another text, which is not repeated.
    """
    try:
        document = _KeyDocument.model_validate_json(text)
    except ValidationError as exc:
        # `from None`, against the rule: pydantic's own text quotes the secret.
        wrong = sorted({str(p["loc"][0]) for p in exc.errors(include_input=False) if p["loc"]})
        raise ConfigInvalid(
            f"the secret {reference} must be JSON with access_key_id and secret_access_key, and "
            "session_token for temporary credentials"
            + (f"; wrong there: {', '.join(wrong)[:200]}" if wrong else "")
        ) from None
    return Keys(document.access_key_id, document.secret_access_key, document.session_token)


def default_chain() -> KeySource:
    """AWS's own places: environment, shared files, the role of the container or the machine.

    They are looked through at the first use. Temporary credentials are renewed by botocore.
    """
    found: list[Credentials] = []

    def keys() -> Keys:
        from botocore.exceptions import BotoCoreError
        from botocore.session import get_session

        try:
            if not found:
                credentials = get_session().get_credentials()
                if credentials is None:
                    raise ConfigInvalid("AWS's default places hold no credentials")
                found.append(credentials)
            frozen = found[0].get_frozen_credentials()
        except BotoCoreError as exc:
            raise ConfigInvalid(
                f"AWS's default places give no credentials: {type(exc).__name__}"
            ) from exc
        return Keys(str(frozen.access_key), str(frozen.secret_key), frozen.token)

    return keys


class SigV4:
    """Signs each request with the connection's AWS keys (`credentials.RequestSigner`).

    A secret is asked for anew with each call; for how long it is kept is its source's business.
    AWS's own places are looked through again after a refusal.
    """

    def __init__(
        self, *, region: str, clock: Clock, secrets: SecretSource, reference: str | None
    ) -> None:
        """Raises ConfigInvalid where the secret cannot be had."""
        self._region = region
        self._clock = clock
        self._secrets = secrets
        self._reference = reference
        self._lock = Lock()
        self._source: KeySource | None = None
        self._document = ""
        self._shown: tuple[str, ...] = ()
        if reference is not None:
            self._keys()

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        return self.signed(method, url, {}, body)

    def signed(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        """The date, the session token, and the signature over these, the method, the URL, the body
        and the headers that AWS wants covered."""
        # Here, because botocore is slow to import and a poll of another service needs none of it.
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        keys = self._keys()
        stamp = self._clock.now().strftime(TIME_FORMAT)
        added = {"X-Amz-Date": stamp}
        if keys.token is not None:
            added["X-Amz-Security-Token"] = keys.token
        covered = {name: value for name, value in headers.items() if _is_covered(name)} | added
        request = AWSRequest(method, url, headers=covered, data=body)
        # `add_auth` would take the time from the machine; Trainbell's clock says it here.
        request.context["timestamp"] = stamp
        signer = SigV4Auth(Credentials(*keys), SIGNING_NAME, self._region)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        names = signer.signed_headers(signer.headers_to_sign(request))
        return added | {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, "
            f"SignedHeaders={names}, Signature={signer.signature(text, request)}"
        }

    def secrets(self) -> Sequence[str]:
        return self._shown

    def refused(self) -> None:
        with self._lock:
            self._source = None

    def _keys(self) -> Keys:
        with self._lock:
            if self._source is None or self._is_changed():
                self._source = self._new_source()
            keys = self._source()
            current = tuple(part for part in (keys.secret_key, keys.token) if part)
            if self._shown[: len(current)] != current:
                # The former ones too: an answer to a call made with them may be on its way.
                self._shown = (*current, *self._shown[:2])
            return keys

    def _new_source(self) -> KeySource:
        if self._reference is None:
            return default_chain()
        self._document = self._secrets.read(self._reference)
        keys = keys_in(self._document, self._reference)
        return lambda: keys

    def _is_changed(self) -> bool:
        return self._reference is not None and self._secrets.read(self._reference) != self._document


def _is_covered(header: str) -> bool:
    name = header.lower()
    return name in ("host", "content-type") or name.startswith("x-amz")
