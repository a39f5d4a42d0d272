"""The Python client of Trainbell's API, the same for both engines. The command line uses it.

client = Trainbell("http://127.0.0.1:8765", token="…")
job = client.start({"provider": "local", "parameters": {"command": ["python", "train.py"]}})
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from trainbell.version import __version__

JsonObject = dict[str, Any]
Signer = Callable[[httpx.Request], None]

TRIES = 3
TIMEOUT_SECONDS = 30.0
PASSING = frozenset({408, 429, 500, 502, 503, 504})


class NotReached(Exception):
    """No Trainbell answers at this address."""


class ApiProblem(Exception):
    """Trainbell said no: an RFC 9457 problem document."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = dict(document)
        self.title = str(document.get("title") or f"HTTP {status}")
        # `message`: as API Gateway itself refuses, before Trainbell is asked.
        self.detail = str(document.get("detail") or document.get("message") or "")
        self.errors = [each for each in document.get("errors", ()) if isinstance(each, dict)]
        super().__init__(f"{self.title}: {self.detail}" if self.detail else self.title)

    @property
    def passes(self) -> bool:
        """Whether the same call may well be answered a little later."""
        return self.status in PASSING


class Trainbell:
    """One address of the API. `token` is the owner's (embedded); `sign` signs (cloud).

    Every method raises NotReached and ApiProblem.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        sign: Signer | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"User-Agent": f"trainbell/{__version__}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.url = url.rstrip("/")
        self._sign = sign
        parts = urlsplit(url)
        is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
        self._http = httpx.Client(
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            # Plain http to this machine has no certificates to check, and reading those of all
            # authorities takes 20 ms. No redirect is followed from there.
            verify=not (is_here and parts.scheme == "http"),
            follow_redirects=False,
            # The environment's proxies are not for a server on this machine.
            trust_env=not is_here,
        )

    def __enter__(self) -> Trainbell:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # ------------------------------------------------------------ jobs

    def start(self, body: Mapping[str, Any], *, idempotency_key: str | None = None) -> JsonObject:
        """Start a job once, however often the connection breaks: a key is made where none is."""
        key = idempotency_key or str(uuid.uuid4())
        return self._job("POST", "/v1/jobs", json=body, headers={"Idempotency-Key": key})

    def job(self, job_id: str) -> JsonObject:
        return self._job("GET", f"/v1/jobs/{_part(job_id)}")

    def jobs(self, **filters: Any) -> JsonObject:
        """One page: `items` and `next_cursor`."""
        page = self.call("GET", "/v1/jobs", params=filters)
        _items(page, self.url)
        return page

    def cancel(self, job_id: str) -> JsonObject:
        return self._job("POST", f"/v1/jobs/{_part(job_id)}/cancel")

    def retry(self, job_id: str) -> JsonObject:
        key = str(uuid.uuid4())
        return self._job(
            "POST", f"/v1/jobs/{_part(job_id)}/retry", headers={"Idempotency-Key": key}
        )

    def resend(self, job_id: str) -> JsonObject:
        return self._job("POST", f"/v1/jobs/{_part(job_id)}/resend")

    def redeliver(self, job_id: str, channel: str | None = None) -> JsonObject:
        """The deliveries that are due again, as `items`."""
        body = {} if channel is None else {"channel": channel}
        return self.call("POST", f"/v1/jobs/{_part(job_id)}/redeliver", json=body)

    def forget(self, job_id: str) -> None:
        self.call("DELETE", f"/v1/jobs/{_part(job_id)}")

    def events(self, job_id: str) -> Iterator[JsonObject]:
        return self.all_of(f"/v1/jobs/{_part(job_id)}/events")

    def deliveries(self, job_id: str) -> Iterator[JsonObject]:
        return self.all_of(f"/v1/jobs/{_part(job_id)}/deliveries")

    def logs(self, job_id: str, lines: int = 100) -> list[str]:
        answer = self.call("GET", f"/v1/jobs/{_part(job_id)}/logs", params={"lines": lines})
        return [str(line) for line in answer.get("lines", ())]

    def in_full(self, job_id: str) -> JsonObject:
        """What the service said at the job's end and the job itself cannot hold."""
        return self.call("GET", f"/v1/jobs/{_part(job_id)}/in-full")

    # ------------------------------------------------------------ settings

    def put(self, kind: str, name: str, body: Mapping[str, Any]) -> JsonObject:
        """`kind` is `connections`, `channels` or `schedules`."""
        return self.call("PUT", f"/v1/{kind}/{_part(name)}", json=body)

    def get(self, kind: str, name: str) -> JsonObject:
        return self.call("GET", f"/v1/{kind}/{_part(name)}")

    def delete(self, kind: str, name: str) -> None:
        self.call("DELETE", f"/v1/{kind}/{_part(name)}")

    def test(self, kind: str, name: str) -> JsonObject:
        return self.call("POST", f"/v1/{kind}/{_part(name)}/test")

    def at_service(self, connection: str, call: str, **parameters: Any) -> JsonObject:
        """Ask a connection's service something that is about no job. Sent once."""
        path = f"/v1/connections/{_part(connection)}/calls/{_part(call)}"
        return self.call("POST", path, json=parameters)

    def move_files(
        self, connection: str, call: str, parameters: Mapping[str, Any], *, seconds: float
    ) -> JsonObject:
        """A call at a service that may take as long as its files do. Sent once."""
        path = f"/v1/connections/{_part(connection)}/calls/{_part(call)}"
        return self.call("POST", path, json=parameters, seconds=seconds)

    def all_at_service(self, connection: str, call: str, **parameters: Any) -> Iterator[JsonObject]:
        """Every item of a list at a connection's service, page by page."""
        following: JsonObject | None = parameters
        while following is not None:
            page = self.at_service(connection, call, **following)
            yield from _items(page, self.url)
            following = page.get("next")

    # ------------------------------------------------------------ calls

    def all_of(self, path: str, **params: Any) -> Iterator[JsonObject]:
        """Every item of a list, page by page."""
        cursor = None
        while True:
            page = self.call("GET", path, params={**params, "cursor": cursor})
            yield from _items(page, self.url)
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = TIMEOUT_SECONDS,
    ) -> JsonObject:
        """One call. A broken connection is tried again where a repeat does no harm.

        `seconds`: how long the server may be silent.
        """
        given = {key: value for key, value in (params or {}).items() if value is not None}
        request = self._http.build_request(
            method, self.url + path, json=json, params=given, headers=headers, timeout=seconds
        )
        safe = method != "POST" or "Idempotency-Key" in request.headers
        return _answer(self._send(request, TRIES if safe else 1))

    def _job(self, method: str, path: str, **more: Any) -> JsonObject:
        job = self.call(method, path, **more)
        if not {"id", "state", "has_ended"} <= job.keys():
            raise NotReached(f"what answers at {self.url} is no Trainbell: this is no job")
        return job

    def _send(self, request: httpx.Request, tries: int) -> httpx.Response:
        if self._sign is not None:
            self._sign(request)
        for attempt in range(1, tries + 1):
            try:
                return self._http.send(request)
            except httpx.HTTPError as error:
                if attempt == tries:
                    raise NotReached(_silence(error, self.url)) from error
        raise AssertionError("unreachable: the last try returns or raises")


def _part(text: str) -> str:
    return quote(text, safe="")


def _silence(error: httpx.HTTPError, url: str) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"nothing answers at {url}"
    if isinstance(error, httpx.TimeoutException):
        return f"{url} does not answer in time"
    return f"the connection to {url} broke ({type(error).__name__})"


def _answer(response: httpx.Response) -> JsonObject:
    """Raises NotReached where it is no answer of a Trainbell: a page, a redirect, half a JSON."""
    try:
        document = response.json() if response.content else {}
    except (ValueError, RecursionError) as error:
        raise _stranger(response) from error
    if not isinstance(document, dict) or response.is_redirect:
        raise _stranger(response)
    if not response.is_success:
        if not document:
            raise _stranger(response)
        raise ApiProblem(response.status_code, document)
    return document


def _stranger(response: httpx.Response) -> NotReached:
    url = response.request.url
    where = f"{url.scheme}://{url.netloc.decode()}"
    return NotReached(f"what answers at {where} is no Trainbell (HTTP {response.status_code})")


def _items(page: JsonObject, url: str) -> list[JsonObject]:
    items = page.get("items")
    if not isinstance(items, list):
        raise NotReached(f"what answers at {url} is no Trainbell: it lists nothing")
    return items
