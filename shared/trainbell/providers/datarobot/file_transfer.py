"""Files to and from a service, in pieces: memory stays bounded whatever their size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import IO, Any, cast

import httpx

from trainbell.extensions.bounded_http import WHOLE_SECONDS
from trainbell.ports.call_scope import request_begins
from trainbell.providers.http import ServiceHttp
from trainbell.providers.service_call import Call, Reply

MAX_DOWNLOAD_BYTES = 20 * 1024**3
TRANSFER_READ_SECONDS = 300.0
"""How long a service may think about an upload before it answers."""

TRANSFER_SECONDS = 3600.0
"""For a whole transfer, however slow."""

FormPart = tuple[str, tuple[str | None, str | IO[bytes]]]
"""A field's name; the file's name (None for a plain field); its text or its open file."""
_OWN_HEADERS = ("content-length", "content-type")
_OK = range(200, 300)


class FileTransfer(ServiceHttp):
    """Calls to a service, some of which carry files."""

    def upload(self, call: Call, parts: Sequence[FormPart]) -> Reply:
        """Send a multipart form, once, reading its files piece by piece.

        Raises as `send` does: a start whose answer is lost is StartOutcomeUnknown.
        """
        plain = self._request(replace(call, json=None, content=None), TRANSFER_SECONDS)
        request = httpx.Request(
            plain.method,
            plain.url,
            headers={k: v for k, v in plain.headers.items() if k.lower() not in _OWN_HEADERS},
            files=cast("list[tuple[str, tuple[str | None, str]]]", list(parts)),
            extensions=self._patient(),
        )
        request_begins(TRANSFER_SECONDS)
        with self._transports.lease(fresh=True) as transport:
            try:
                response = transport.handle_request(request)
            except httpx.TransportError as exc:
                raise self._unanswered(call, exc) from exc
            headers = {k.lower(): v for k, v in response.headers.items()}
            deadline = self._monotonic() + self._timeouts.whole
            body, flaw = self._body(response, call.max_bytes, deadline)
        return self._judged(call, response.status_code, headers, body, flaw)

    def download(
        self, call: Call, write: Callable[[bytes], object], max_bytes: int = MAX_DOWNLOAD_BYTES
    ) -> int:
        """Give the answer's body to `write`, piece by piece. Returns how many bytes it had.

        Raises:
            ProviderReplyInvalid: it broke off or is larger than `max_bytes`; what was written by
                then is of no use.
        """
        request_begins(TRANSFER_SECONDS)
        with self._transports.lease(fresh=False) as transport:
            try:
                response = transport.handle_request(self._request(call, TRANSFER_SECONDS))
            except httpx.TransportError as exc:
                raise self._unanswered(call, exc) from exc
            headers = {k.lower(): v for k, v in response.headers.items()}
            status = response.status_code
            if status not in _OK or response.headers.get("content-encoding", "identity") != (
                "identity"
            ):
                body, flaw = self._body(
                    response, call.max_bytes, self._monotonic() + self._timeouts.whole
                )
                self._judged(call, status, headers, body, flaw)
            unreadable = self._unreadable(call, status, headers, b"")
            size = 0
            try:
                for piece in cast(httpx.SyncByteStream, response.stream):
                    size += len(piece)
                    if size > max_bytes:
                        raise unreadable(f"it is larger than {max_bytes} bytes")
                    write(piece)
            except httpx.TransportError as exc:
                raise unreadable("it broke off") from exc
            finally:
                response.close()
        return size

    def _patient(self) -> dict[str, Any]:
        timeout = {**self._timeouts.for_httpx(), "read": TRANSFER_READ_SECONDS}
        return {"timeout": timeout, WHOLE_SECONDS: TRANSFER_SECONDS}
