"""How services are called: what is sent, what each answer means, and what is never shown."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from tests.builders import NOON, FakeClock
from tests.open_secrets import OpenSecrets
from trainbell.domain.base_url import checked_base_url
from trainbell.errors import (
    ConfigInvalid,
    ProviderAuthFailed,
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.extensions.retry_after import retry_after_seconds
from trainbell.extensions.transports import MAX_IDLE_CONNECTIONS, Transports
from trainbell.providers.credentials import HeaderSecret
from trainbell.providers.http import USER_AGENT, ServiceHttp, Timeouts, path_segment
from trainbell.providers.redaction import MAX_DETAIL_ITEMS, Redactor
from trainbell.providers.service_call import Call, Effect, Reply
from trainbell.redaction import MASK

SECRET = "s3cr3t/key+with=signs"
GET = Call(operation="get a job", path="/jobs/1/", missing_is_job=True)
CHANGE = Call(operation="cancel a job", path="/jobs/1/", method="DELETE", effect=Effect.CHANGE)
START = Call(
    operation="start a job", path="/jobs/", method="POST", json={"a": 1}, effect=Effect.START
)


class Secrets(OpenSecrets):
    def __init__(self, *secrets: str) -> None:
        self.left = list(secrets)
        self.reads = 0

    def read(self, reference: str) -> str:
        self.reads += 1
        if not self.left:
            raise ConfigInvalid(f"no secret {reference}")
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


Handler = Callable[[httpx.Request], httpx.Response]


def a_service(handler: Handler, *, secrets: Secrets | None = None, **fields: Any) -> ServiceHttp:
    given: dict[str, Any] = {
        "provider": "Acme",
        "base_url": "https://api.example.com/v1",
        "credential": HeaderSecret(secrets or Secrets(SECRET), "env:KEY", scheme="Key"),
        "clock": FakeClock(),
        "transport": httpx.MockTransport(handler),
    }
    return ServiceHttp(**{**given, **fields})


def answering(status: int = 200, **fields: Any) -> ServiceHttp:
    return a_service(lambda _: httpx.Response(status, **fields))


def failing(error: Exception) -> ServiceHttp:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return a_service(handler)


# ---------------------------------------------------------------- what is sent


def test_a_request_carries_its_headers_body_and_query() -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"ok": True})

    service = a_service(handler)
    assert service.send(START).json() == {"ok": True}
    service.send(Call(operation="list", path="/jobs/", query={"limit": 5, "q": "a b&c"}))
    start, listing = sent
    assert start.headers["authorization"] == f"Key {SECRET}"
    assert start.headers["user-agent"] == USER_AGENT
    assert start.headers["accept-encoding"] == "identity"
    assert start.headers["host"] == "api.example.com"
    assert (start.content, start.headers["content-type"]) == (b'{"a": 1}', "application/json")
    assert str(listing.url) == "https://api.example.com/v1/jobs/?limit=5&q=a+b%26c"
    assert "content-type" not in listing.headers


def test_a_path_segment_cannot_leave_its_place() -> None:
    assert path_segment("a/../b?c#d") == "a%2F..%2Fb%3Fc%23d"
    for value in ("", ".", ".."):
        with pytest.raises(ValueError, match="part of a path"):
            path_segment(value)


# ---------------------------------------------------------------- what answers mean


@pytest.mark.parametrize(
    ("status", "read", "start"),
    [
        (301, ProviderReplyInvalid, StartOutcomeUnknown),
        (400, ProviderRejected, ProviderRejected),
        (401, ProviderAuthFailed, ProviderAuthFailed),
        (402, ProviderRejected, ProviderRejected),
        (403, ProviderAuthFailed, ProviderAuthFailed),
        (404, ProviderJobMissing, ProviderRejected),
        (408, ProviderUnavailable, ProviderUnavailable),
        (409, ProviderRejected, ProviderRejected),
        (410, ProviderJobMissing, ProviderRejected),
        (422, ProviderRejected, ProviderRejected),
        (425, ProviderUnavailable, ProviderUnavailable),
        (429, ProviderThrottled, ProviderThrottled),
        (500, ProviderUnavailable, StartOutcomeUnknown),
        (502, ProviderUnavailable, StartOutcomeUnknown),
        (503, ProviderUnavailable, StartOutcomeUnknown),
        (599, ProviderUnavailable, StartOutcomeUnknown),
    ],
)
def test_each_status_has_one_meaning(
    status: int, read: type[ProviderError], start: type[ProviderError]
) -> None:
    for call, wanted in ((GET, read), (START, start)):
        with pytest.raises(ProviderError) as raised:
            answering(status, json={"message": "no"}).send(call)
        assert type(raised.value) is wanted
        assert raised.value.http_status == status
        assert (raised.value.provider, raised.value.operation) == ("Acme", call.operation)


def test_a_404_is_a_missing_job_only_where_a_job_was_asked_for() -> None:
    with pytest.raises(ProviderRejected):
        answering(404, json={"message": "no"}).send(Call(operation="list", path="/jobs/"))


@pytest.mark.parametrize("status", [404, 405, 410])
@pytest.mark.parametrize(
    "page", [{"html": "<h1>Not here</h1>"}, {"text": "no route"}, {"text": ""}], ids=str
)
def test_a_proxys_404_says_nothing_of_the_job_or_the_start(
    status: int, page: dict[str, str]
) -> None:
    for call in (GET, CHANGE, START):
        with pytest.raises(ProviderUnavailable):
            answering(status, **page).send(call)


@pytest.mark.parametrize("status", [400, 402, 409, 422])
def test_a_page_is_nobodys_refusal(status: int) -> None:
    with pytest.raises(ProviderUnavailable):
        answering(status, html="<html>Bad Request</html>").send(START)
    with pytest.raises(ProviderRejected):
        answering(status, text="no such dataset").send(START)


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("")]
)
def test_what_was_surely_not_sent_is_unavailable(error: Exception) -> None:
    for call in (GET, CHANGE, START):
        with pytest.raises(ProviderUnavailable) as raised:
            failing(error).send(call)
        assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("timed out"),
        httpx.WriteTimeout("timed out"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
    ],
)
def test_what_was_sent_and_not_answered_leaves_a_start_unclear(error: Exception) -> None:
    for call in (GET, CHANGE):
        with pytest.raises(ProviderUnavailable):
            failing(error).send(call)
    with pytest.raises(StartOutcomeUnknown) as raised:
        failing(error).send(START)
    assert raised.value.__cause__ is error


def test_a_redirect_is_an_answer_where_the_call_wants_it() -> None:
    service = answering(303, headers={"Location": "http://169.254.169.254/"})
    call = Call(operation="status", path="/status/1/", follow_up=True)
    reply = service.send(call)
    assert (reply.status, reply.headers["location"]) == (303, "http://169.254.169.254/")


# ---------------------------------------------------------------- bodies


class Shape(BaseModel):
    id: str
    size: int


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>sign in</html>",
        b'{"id": "x", "size": ',
        b'{"id": "\xff", "size": 1}',
        b"[" * 5000 + b"]" * 5000,
        b'{"id": "x", "size": NaN}',
    ],
)
def test_a_body_that_is_no_json_is_invalid_or_leaves_a_start_unclear(body: bytes) -> None:
    service = answering(content=body)
    reads: list[Callable[[Reply], object]] = [Reply.json, lambda reply: reply.model(Shape)]
    for read in reads:
        with pytest.raises(ProviderReplyInvalid):
            read(service.send(GET))
        with pytest.raises(StartOutcomeUnknown):
            read(service.send(START))


def test_json_is_read_whatever_type_it_claims() -> None:
    service = answering(content=b'{"id": "x", "size": 3}', headers={"Content-Type": "text/html"})
    assert service.send(GET).model(Shape) == Shape(id="x", size=3)


def test_wrong_fields_are_named_and_not_quoted() -> None:
    with pytest.raises(ProviderReplyInvalid, match=r"size: .*integer") as raised:
        answering(json={"id": "x", "size": SECRET}).send(GET).model(Shape)
    assert SECRET not in str(raised.value)


class Stream(httpx.SyncByteStream):
    """A body in pieces, which may break, and which counts what is taken from it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces

    def close(self) -> None:
        self.closed = True


def test_no_more_is_read_than_the_bound() -> None:
    taken = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield b"x" * 1000

    stream = Stream(endless())
    service = a_service(lambda _: httpx.Response(200, stream=stream))
    with pytest.raises(ProviderReplyInvalid, match="larger than 5000 bytes"):
        service.send(Call(operation="get", path="/", max_bytes=5000))
    assert len(taken) == 6
    assert stream.closed


def test_an_error_page_without_end_is_cut_off() -> None:
    stream = Stream(iter([b"x" * 60_000] * 100))
    service = a_service(lambda _: httpx.Response(500, stream=stream))
    with pytest.raises(ProviderUnavailable):
        service.send(GET)
    assert len(list(stream.pieces)) == 98


def test_a_body_that_drips_is_given_up() -> None:
    passed = [0.0]

    def drip() -> Iterator[bytes]:
        while True:
            passed[0] += 15
            yield b"x"

    service = a_service(
        lambda _: httpx.Response(200, stream=Stream(drip())),
        monotonic=lambda: passed[0],
        timeouts=Timeouts(whole=40),
    )
    with pytest.raises(ProviderReplyInvalid, match="over 40 seconds"):
        service.send(GET)
    assert passed[0] == 45


def test_a_body_that_breaks_off_leaves_a_start_unclear() -> None:
    def broken() -> Iterator[bytes]:
        yield b'{"id": '
        raise httpx.RemoteProtocolError("peer closed connection")

    service = a_service(lambda _: httpx.Response(200, stream=Stream(broken())))
    with pytest.raises(StartOutcomeUnknown, match="broke off"):
        service.send(START)
    service = a_service(lambda _: httpx.Response(200, stream=Stream(broken())))
    with pytest.raises(ProviderReplyInvalid, match="broke off"):
        service.send(GET)


def test_a_compressed_answer_is_not_unpacked() -> None:
    stream = Stream(iter([b"\x1f\x8b"]))
    answer = httpx.Response(200, stream=stream, headers={"Content-Encoding": "gzip"})
    with pytest.raises(ProviderReplyInvalid, match="compressed"):
        a_service(lambda _: answer).send(GET)


# ---------------------------------------------------------------- the service's own words


@pytest.mark.parametrize(
    ("body", "said", "code"),
    [
        ({"detail": "no such dataset"}, "no such dataset", None),
        ({"error": {"code": "BadTag", "message": "one tag"}}, "one tag", "BadTag"),
        ({"code": 17, "message": "quota"}, "quota", "17"),
        ([{"message": "first", "errorCode": "X"}], "first", None),
        ({"field": ["is required"]}, '{"field":["is required"]}', None),
    ],
)
def test_an_error_keeps_what_the_service_said(body: Any, said: str, code: str | None) -> None:
    service = answering(400, json=body, headers={"X-Request-Id": "r-1"})
    with pytest.raises(ProviderRejected) as raised:
        service.send(GET)
    error = raised.value
    assert str(error) == f"Acme answered 400 Bad Request to get a job: {said}"
    assert (error.vendor_code, error.request_id, error.details) == (code, "r-1", body)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("999999999", 86_400.0),
        (format_datetime(NOON + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOON - timedelta(seconds=90), usegmt=True), 0.0),
        ("Mon, 02 Mar 2026 12:00:30 -0000", 30.0),
        ("soon", None),
        ("nan", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOON) == seconds


def test_retry_after_reaches_the_error() -> None:
    for status, kind in ((429, ProviderThrottled), (503, ProviderUnavailable)):
        with pytest.raises(kind) as raised:
            answering(status, headers={"Retry-After": "12"}).send(GET)
        assert raised.value.retry_after_seconds == 12


# ---------------------------------------------------------------- secrets


@pytest.mark.parametrize("status", [200, 302, 400, 401, 429, 500])
def test_no_form_of_the_secret_is_shown(status: int) -> None:
    encoded = base64.b64encode(SECRET.encode()).decode()
    quoted = httpx.QueryParams({"k": SECRET})
    page = f"<p>{SECRET} {encoded} {quoted}</p>".encode()
    for fields in (
        {"content": page},
        {"json": {"message": SECRET, "nested": [{"k": SECRET, SECRET: 1}]}},
    ):
        service = answering(status, headers={"X-Request-Id": SECRET}, **fields)
        with pytest.raises(ProviderError) as raised:
            service.send(START).model(Shape)
        shown = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
        for form in (SECRET, encoded.rstrip("="), str(quoted)):
            assert form not in shown


def test_an_excerpt_never_ends_in_half_a_secret() -> None:
    body = ("x" * 115 + SECRET).encode()
    assert SECRET[:4] not in Redactor([SECRET]).excerpt(body)
    assert Redactor([SECRET]).excerpt(b"a\x00b\n\xff") == "a b \ufffd"


def test_details_are_bounded() -> None:
    deep: Any = "end"
    for _ in range(50):
        deep = {"a": deep}
    bounded = Redactor(["secret"]).details([deep, "x" * 5000, *range(10_000)])
    assert len(bounded) == MAX_DETAIL_ITEMS
    assert len(bounded[1]) == 1000
    assert str(bounded[0]).count("a") == 7


@pytest.mark.parametrize("secret", ["", "  ", "two\nlines", "ключ", "tab\tbed"])
def test_a_secret_that_no_header_can_carry_is_a_wrong_setting(secret: str) -> None:
    with pytest.raises(ConfigInvalid) as raised:
        HeaderSecret(Secrets(secret), "env:KEY", scheme="Key")
    assert "env:KEY" in str(raised.value)
    assert not secret.strip() or secret not in str(raised.value)


def test_a_secret_is_asked_for_with_each_call_so_that_a_new_one_counts_at_once() -> None:
    secrets = Secrets("old", "old", "new")  # Once when it is built.

    def handler(request: httpx.Request) -> httpx.Response:
        good = request.headers["authorization"] == "Key new"
        return httpx.Response(200 if good else 401, json={"you": "sent old"})

    service = a_service(handler, secrets=secrets)
    with pytest.raises(ProviderAuthFailed) as raised:
        service.send(GET)
    assert raised.value.details == {"you": f"sent {MASK}"}
    assert service.send(GET).status == 200
    assert service.send(GET).status == 200
    assert secrets.reads == 4
    assert service.redact("old and new") == f"{MASK} and {MASK}"


def test_a_secret_that_is_gone_is_an_auth_failure() -> None:
    secrets = Secrets("old")
    service = a_service(lambda _: httpx.Response(401), secrets=secrets)
    with pytest.raises(ProviderAuthFailed):
        service.send(GET)
    secrets.left.clear()
    with pytest.raises(ProviderAuthFailed, match="no secret env:KEY"):
        service.send(GET)


@pytest.mark.parametrize("path", [".evil.example/x", "@evil.example/", ":81/x", ""])
def test_no_path_leads_the_secret_to_another_host(path: str) -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    with pytest.raises(ValueError, match="begins with a slash"):
        a_service(handler).send(replace(GET, path=path))
    assert not sent


# ---------------------------------------------------------------- base URLs


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("https://10.1.2.3/api", "https://10.1.2.3/api"),
        ("https://ml_server:9000", "https://ml_server:9000"),
        ("http://localhost:9000", "http://localhost:9000"),
    ],
)
def test_good_base_urls(url: str, checked: str) -> None:
    assert checked_base_url(url) == checked


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://user:hunter2@api.example.com",
        "https://@api.example.com",
        "https://api.example.com/#x",
        "https://api.example.com/?key=hunter2",
        "https://api.example.com:0/",
        "https://api.example.com:99999/",
        "https://api.example.com:x/",
        "https://api.example.com/a b",
        "https://api.example.com\\@evil.example",
        "https://api.example.com/\n",
        "https://[::1",
        "https://-x.example.com",
        "http://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[64:ff9b::a9fe:a9fe]/",
        "http://ml_server:9000",
        "http://10.1.2.3",
        "http://127.0.0.1.example.com",
        "https://" + "a" * 2048 + ".example.com",
    ],
)
def test_bad_base_urls_are_refused_without_repeating_their_secrets(url: str) -> None:
    with pytest.raises(ConfigInvalid) as raised:
        checked_base_url(url)
    assert "hunter2" not in str(raised.value)
    assert len(str(raised.value)) < 200


# ---------------------------------------------------------------- connections


def test_connections_are_kept_reused_and_bounded() -> None:
    transports = Transports(None)
    with transports.lease(fresh=False) as first:
        pass
    with transports.lease(fresh=False) as again, transports.lease(fresh=False) as second:
        assert again is first
        assert second is not first
    with transports.lease(fresh=True) as fresh:
        assert fresh not in (first, second)
    _hold(transports, MAX_IDLE_CONNECTIONS + 2)
    assert transports.idle == MAX_IDLE_CONNECTIONS
    transports.close()
    assert transports.idle == 0


def _hold(transports: Transports, depth: int) -> None:
    if depth:
        with transports.lease(fresh=False):
            _hold(transports, depth - 1)
