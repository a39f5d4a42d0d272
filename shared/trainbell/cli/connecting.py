"""Which Trainbell a command talks to: `--url`, TRAINBELL_URL, or the one on this machine."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import typer

from trainbell.client import NotReached, Signer, Trainbell
from trainbell.domain.addresses import is_loopback_name
from trainbell.embedded.data_dir import (
    RunningServer,
    default_data_dir,
    is_in_use,
    running_server,
)
from trainbell.redaction import redacted_text

_EXECUTE_API = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com$")
_SIGNED_HEADERS = ("content-type", "host", "idempotency-key")

BEGINS_WITHIN_SECONDS = 10.0
LOOKS_EVERY_SECONDS = 0.05
NOT_RUNNING = (
    "no Trainbell is running on this machine: start one with `trainbell up`, "
    "or name one with --url or TRAINBELL_URL"
)


def find_trainbell(url: str | None) -> Trainbell:
    """`url` is what `--url` or TRAINBELL_URL said.

    TRAINBELL_TOKEN is the owner's token of an embedded one on another machine; TRAINBELL_SIGN
    asks for signatures where the host does not show that it is AWS's; TRAINBELL_PLAIN_HTTP_TO names
    the one other machine that may be called without encryption, over a network that is trusted.

    Raises:
        NotReached: none was named and none is running here, or there is nothing to sign with.
        typer.BadParameter: no URL, or none that the caller's secret may go to; all that is wrong.
    """
    if url is None:
        server = _server_here(default_data_dir())
        if server is None:
            raise NotReached(NOT_RUNNING)
        return Trainbell(server.url, token=server.token)
    region = _EXECUTE_API.search(_checked_host(url))
    if region or os.environ.get("TRAINBELL_SIGN"):
        return Trainbell(url, sign=aws_signer(region[1] if region else None))
    return Trainbell(url, token=os.environ.get("TRAINBELL_TOKEN") or _own_token(url))


def aws_signer(region: str | None) -> Signer:
    """Signs each request with the caller's AWS identity (SigV4, service execute-api).

    Raises:
        NotReached: there is no identity, or no region that is known.
    """
    import boto3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError

    try:
        session = boto3.Session()
        credentials = session.get_credentials()
        region = region or session.region_name
    except BotoCoreError as error:
        raise NotReached(f"the AWS settings cannot be used: {error}") from error
    if credentials is None:
        raise NotReached("there are no AWS credentials to sign the call with")
    if region is None:
        raise NotReached("name the AWS region to sign for, with AWS_REGION")

    def sign(request: httpx.Request) -> None:
        kept = {k: v for k, v in request.headers.items() if k.lower() in _SIGNED_HEADERS}
        signed = AWSRequest(request.method, str(request.url), headers=kept, data=request.content)
        # The credentials are asked anew each time: temporary ones are renewed in a long wait.
        SigV4Auth(credentials, "execute-api", region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))

    return sign


def _server_here(data_dir: Path) -> RunningServer | None:
    """The one on this machine. One that is just beginning is waited for: `trainbell up &` and
    the next command are often typed, or pasted, as one."""
    until = time.monotonic() + BEGINS_WITHIN_SECONDS
    while (server := running_server(data_dir)) is None:
        if not is_in_use(data_dir) or time.monotonic() > until:
            return None
        time.sleep(LOOKS_EVERY_SECONDS)
    return server


def _checked_host(url: str) -> str:
    """The host, where the caller's token or signature may go to it."""
    try:
        parts = urlsplit(url)
        host, _ = httpx.URL(url).host, parts.port
    except (ValueError, httpx.InvalidURL):
        parts, host = urlsplit(""), ""
    problems = []
    if parts.scheme not in ("http", "https") or not host:
        problems.append(f"'{_without_secrets(url)}' is no URL such as http://127.0.0.1:8765")
    if parts.username is not None or parts.password is not None:
        problems.append("a URL must hold no user and no password: the token is TRAINBELL_TOKEN")
    if parts.query or parts.fragment:
        problems.append("a URL must end with its path, without ? and #")
    if parts.scheme == "http" and host and not _may_be_plain(host):
        problems.append(
            f"your token or signature would travel to {host} unencrypted: use https://, or a "
            "tunnel (`ssh -L 8765:127.0.0.1:8765`); where the network in between is trusted, "
            f"TRAINBELL_PLAIN_HTTP_TO={host}"
        )
    if problems:
        raise typer.BadParameter("; ".join(problems), param_hint="--url")
    return host


def _may_be_plain(host: str) -> bool:
    trusted = os.environ.get("TRAINBELL_PLAIN_HTTP_TO", "")
    return is_loopback_name(host) or host.lower() == trusted.strip("[]").lower()


def _without_secrets(url: str) -> str:
    return redacted_text(url)[:200]


def _own_token(url: str) -> str | None:
    server = running_server(default_data_dir())
    return server.token if server is not None and server.url == url.rstrip("/") else None
