"""How Trainbell calls a training service over HTTP: bounded, never repeated, never asleep.

Requests go through httpx's transports without its `Client`: cookies, redirects, netrc and
authentication are not wanted here, and a poll costs a third less CPU without them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from json import dumps
from typing import Any, NoReturn, cast
from urllib.parse import quote, urlencode

import httpx

from trainbell.domain.base_url import checked_base_url
from trainbell.errors import (
    ConfigInvalid,
    ProviderAuthFailed,
    ProviderError,
    ProviderReplyInvalid,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.extensions.bounded_http import WHOLE_SECONDS
from trainbell.extensions.transports import Transports
from trainbell.ports import Clock
from trainbell.ports.call_scope import request_begins
from trainbell.providers.credentials import Credential, RequestSigner
from trainbell.providers.http_errors import request_id, status_error
from trainbell.providers.redaction import Redactor, redactor_of
from trainbell.providers.service_call import Call, Effect, Reply
from trainbell.version import __version__

USER_AGENT = f"trainbell/{__version__}"
MAX_ERROR_BYTES = 100_000
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_OK = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """In seconds. `read` is between two pieces of an answer, `whole` for the whole exchange."""

    connect: float = 10.0
    read: float = 20.0
    whole: float = 40.0

    def for_httpx(self) -> dict[str, float]:
        return {"connect": self.connect, "read": self.read, "write": self.read, "pool": 1.0}


class ServiceHttp:
    """Calls to one service with one credential. Thread-safe. Errors: see `http_errors`."""

    def __init__(
        self,
        *,
        provider: str,
        base_url: str,
        credential: Credential,
        clock: Clock,
        transport: httpx.BaseTransport | None = None,
        timeouts: Timeouts = Timeouts(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ConfigInvalid where the base URL is not one (`checked_base_url`)."""
        self.base_url = checked_base_url(base_url)
        self._provider = provider
        self._credential = credential
        self._signer = credential if isinstance(credential, RequestSigner) else None
        self._clock = clock
        self._timeouts = timeouts
        self._monotonic = monotonic
        self._timeout = timeouts.for_httpx()
        self._transports = Transports(transport)
        self._fixed_headers = {
            "Host": _authority(self.base_url),
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            # A compressed answer could be a bomb, and these are a few kilobytes.
            "Accept-Encoding": "identity",
        }

    def send(self, call: Call) -> Reply:
        """Send it, once, and read the whole answer. Raises as the table in `http_errors` says."""
        # Announced where it is sent, so that each request of an operation counts.
        whole = request_begins(self._timeouts.whole)
        request = self._request(call, whole)
        sent_at = self._monotonic()
        with self._transports.lease(fresh=call.effect is Effect.START) as transport:
            try:
                response = transport.handle_request(request)
            except httpx.TransportError as exc:
                raise self._unanswered(call, exc) from exc
            headers = {k.lower(): v for k, v in response.headers.items()}
            limit = call.max_bytes if response.status_code in _OK else MAX_ERROR_BYTES
            body, flaw = self._body(response, limit, sent_at + whole)
        return self._judged(call, response.status_code, headers, body, flaw)

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown: every secret in use now, also those got for others."""
        return tuple(self._credential.secrets())

    def redact(self, text: str) -> str:
        """The text without any secret of this connection."""
        return self._redactor().text(text)

    def redacted(self, value: Any) -> Any:
        """A part of an answer, without any secret of this connection and bounded: fit to keep."""
        return self._redactor().details(value)

    def close(self) -> None:
        self._transports.close()

    def _request(self, call: Call, whole: float) -> httpx.Request:
        if not call.path.startswith("/"):
            # Or it would be a part of the host's name, and lead the secret elsewhere.
            raise ValueError("the path of a call begins with a slash")
        url = self.base_url + call.path
        if call.query:
            url += "?" + urlencode(call.query)
        body = dumps(call.json).encode() if call.json is not None else (call.content or b"")
        headers = {**self._fixed_headers, **(call.headers or {})}
        if body:
            headers["Content-Type"] = call.content_type
        try:
            headers.update(self._proof(call.method, url, headers, body))
        except ConfigInvalid as exc:
            raise ProviderAuthFailed(
                str(exc), provider=self._provider, operation=call.operation
            ) from exc
        return httpx.Request(
            call.method,
            url,
            headers=headers,
            content=body,
            extensions={"timeout": self._timeout, WHOLE_SECONDS: whole},
        )

    def _proof(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        if self._signer is not None:
            return self._signer.signed(method, url, headers, body)
        return self._credential.headers(method, url, body)

    def _body(
        self, response: httpx.Response, limit: int, deadline: float
    ) -> tuple[bytes, Exception | str | None]:
        """The body, and what is wrong with it: too much, too slow, broken off, compressed."""
        pieces: list[bytes] = []
        size = 0
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                return b"", "it is compressed, which was not asked for"
            for piece in cast(httpx.SyncByteStream, response.stream):
                pieces.append(piece)
                size += len(piece)
                if size > limit:
                    return b"".join(pieces)[:limit], f"it is larger than {limit} bytes"
                if self._monotonic() > deadline:
                    return b"".join(pieces), f"it took over {self._timeouts.whole:g} seconds"
        except httpx.TransportError as exc:
            return b"".join(pieces), exc
        finally:
            response.close()
        return b"".join(pieces), None

    def _judged(
        self,
        call: Call,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        flaw: Exception | str | None,
    ) -> Reply:
        if status in _OK or (call.follow_up and 300 <= status < 400):  # noqa: PLR2004
            reply = Reply(status, headers, body, self._unreadable(call, status, headers, body))
            if flaw is not None:
                self._refuse(reply, flaw)
            return reply
        error = status_error(
            self._provider,
            call,
            status=status,
            headers=headers,
            body=body,
            redactor=self._redactor(),
            now=self._clock.now(),
        )
        if isinstance(error, ProviderAuthFailed):
            self._credential.refused()
        raise error

    def _refuse(self, reply: Reply, flaw: Exception | str) -> NoReturn:
        if isinstance(flaw, Exception):
            raise reply.unreadable("it broke off") from flaw
        raise reply.unreadable(flaw)

    def _unreadable(
        self, call: Call, status: int, headers: Mapping[str, str], body: bytes
    ) -> Callable[[str], ProviderError]:
        def error(why: str) -> ProviderError:
            kind = StartOutcomeUnknown if call.effect is Effect.START else ProviderReplyInvalid
            redactor = self._redactor()
            begins = redactor.excerpt(body)
            return kind(
                f"{self._provider}'s answer to {call.operation} cannot be read: "
                f"{redactor.text(why)}" + (f"; it begins: {begins}" if begins else ""),
                provider=self._provider,
                operation=call.operation,
                http_status=status,
                request_id=redactor.text(request_id(headers) or "")[:200] or None,
            )

        return error

    def _unanswered(self, call: Call, exc: httpx.TransportError) -> ProviderError:
        why = self._redactor().text(str(exc))[:200] or type(exc).__name__
        if call.effect is Effect.START and not isinstance(exc, _NOT_SENT):
            kind: type[ProviderError] = StartOutcomeUnknown
            message = f"{self._provider} gave no answer to {call.operation}, which was sent: {why}"
        else:
            kind = ProviderUnavailable
            message = f"{self._provider} cannot be reached for {call.operation}: {why}"
        return kind(message, provider=self._provider, operation=call.operation)

    def _redactor(self) -> Redactor:
        return redactor_of(self.secrets())


def _authority(base_url: str) -> str:
    try:
        return httpx.URL(base_url).netloc.decode()
    except httpx.InvalidURL as exc:
        raise ConfigInvalid(f"the base URL cannot be read: {exc}") from exc


def path_segment(value: str) -> str:
    """A value as one part of a path, where it can neither leave its place nor add a query.

    Raises ValueError for the three values that quoting cannot tame.
    """
    if value in ("", ".", ".."):
        raise ValueError(f"{value!r} cannot be a part of a path")
    return quote(value, safe="")
