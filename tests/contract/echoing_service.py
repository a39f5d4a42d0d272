"""The network before a simulated service, which puts the caller's own secret into what it says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any, cast
from urllib.parse import quote

import httpx

Where = Callable[[str, str], bool]
"""Whether the text under this key of an answer is to hold the secret, too."""

_NEEDED = re.compile(r"(?i)(id|arn|status|state|type|time|date|at|on|token|name|version|url|kind)$")
_VALUE = re.compile(r"(?i)[\d:.TZ+-]*|https?://.*|arn:.*|s3://.*|[0-9a-f-]{24,}")


def in_free_texts(key: str, text: str) -> bool:
    """Where the job takes its course all the same."""
    return not _NEEDED.search(key) and not _VALUE.fullmatch(text)


def in_words_of_state(key: str, text: str) -> bool:
    del text
    return re.search(r"(?i)(status|state|stage)$", key) is not None


def everywhere(key: str, text: str) -> bool:
    del key, text
    return True


def forms_of(secret: str) -> Sequence[str]:
    """As an echo would hold it."""
    raw = secret.encode()
    return (
        secret,
        base64.b64encode(raw).decode(),
        base64.b64encode(b"user:" + raw).decode(),
        quote(secret, safe=""),
        quote(quote(secret, safe="/"), safe="%"),
        "".join(f"%{byte:02X}" for byte in raw),
    )


class Echo(httpx.BaseTransport):
    """Sends on to the service, and adds a form of the secret to texts and a header of its answer.

    `own`: what the service knows by itself. `secrets`: all that were put in. `breaks`: what is read
    is answered with an error.
    """

    def __init__(self, own: Sequence[str], where: Where, *, breaks: bool = False) -> None:
        self._inner = httpx.HTTPTransport(trust_env=False)
        self._own = own
        self._where = where
        self._breaks = breaks
        self.secrets: set[str] = set(own)
        self.echoed = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        body = b"".join(cast(httpx.SyncByteStream, response.stream))
        response.close()
        added = self._added(request)
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        if document is not None and "access_token" not in str(document):
            body = json.dumps(self._filled(document, "", added)).encode()
        status = response.status_code
        if self._breaks and request.method == "GET" and "oauth2" not in request.url.path:
            status = 400
        headers = [(k, v) for k, v in response.headers.items() if k.lower() != "content-length"]
        headers.append(("x-request-id", next(added)))
        return httpx.Response(
            status, headers=[*headers, ("content-length", str(len(body)))], stream=_Whole(body)
        )

    def close(self) -> None:
        self._inner.close()

    def _added(self, request: httpx.Request) -> Iterator[str]:
        """One form of one secret after the other, for ever: the service's, and those that this
        request shows. One at a time, so that no text is refused for its length."""
        _, _, shown = request.headers.get("authorization", "").partition(" ")
        if shown and "Signature=" not in shown:
            self.secrets.add(shown)
        secrets = {*self._own, *([shown] if shown in self.secrets else [])}
        forms = [form for secret in sorted(secrets) for form in forms_of(secret)]
        first = self.echoed % len(forms) if forms else 0
        return cycle([*forms[first:], *forms[:first], *([] if forms else ["nothing"])])

    def _filled(self, value: Any, key: str, added: Iterator[str]) -> Any:
        if isinstance(value, dict):
            return {k: self._filled(v, k, added) for k, v in value.items()}
        if isinstance(value, list):
            return [self._filled(each, key, added) for each in value]
        if isinstance(value, str) and self._where(key, value):
            self.echoed += 1
            return f"{value} {next(added)}"
        return value


class _Whole(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Any:
        yield self._body
