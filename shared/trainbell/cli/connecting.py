"""Which Trainbell a command talks to: `--url`, TRAINBELL_URL, or the one on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from trainbell.client import NotReached, Signer, Trainbell
from trainbell.embedded.data_dir import default_data_dir, running_server

_EXECUTE_API = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com$")

NOT_RUNNING = (
    "no Trainbell is running on this machine: start one with `trainbell up`, "
    "or name one with --url or TRAINBELL_URL"
)


def find_trainbell(url: str | None) -> Trainbell:
    """Raises NotReached where none was named and none is running here."""
    url = url or os.environ.get("TRAINBELL_URL")
    if url is None:
        server = running_server(default_data_dir())
        if server is None:
            raise NotReached(NOT_RUNNING)
        return Trainbell(server.url, token=server.token)
    host = urlsplit(url).hostname or ""
    region = _EXECUTE_API.search(host)
    if region or os.environ.get("TRAINBELL_SIGN"):
        return Trainbell(url, sign=_signer(region[1] if region else None))
    return Trainbell(url, token=os.environ.get("TRAINBELL_TOKEN") or _own_token(url))


@contextmanager
def trainbell_for_watching(url: str | None) -> Iterator[tuple[Trainbell, bool]]:
    """As `find_trainbell`; but where none is named or running, one in this process, for now.

    The bool says that it is this process: nobody watches after it ends, until the next one runs.
    """
    try:
        client = find_trainbell(url)
    except NotReached:
        if url or os.environ.get("TRAINBELL_URL"):
            raise
        from trainbell.embedded.instance import EmbeddedInstance

        with (
            EmbeddedInstance(default_data_dir(), port=0) as instance,
            Trainbell(instance.url, token=instance.token) as client,
        ):
            yield client, True
        return
    with client:
        yield client, False


def _own_token(url: str) -> str | None:
    server = running_server(default_data_dir())
    return server.token if server is not None and server.url == url.rstrip("/") else None


def _signer(region: str | None) -> Signer:
    """Signs each request with the caller's AWS identity (SigV4, service execute-api)."""
    import boto3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    session = boto3.Session()
    credentials = session.get_credentials()
    if credentials is None:
        raise NotReached("there are no AWS credentials to sign the call with")
    auth = SigV4Auth(credentials, "execute-api", region or session.region_name or "us-east-1")

    def sign(request: httpx.Request) -> None:
        kept = {
            name: value
            for name, value in request.headers.items()
            if name.lower() in ("content-type", "host", "idempotency-key")
        }
        signed = AWSRequest(request.method, str(request.url), headers=kept, data=request.content)
        auth.add_auth(signed)
        request.headers.update(dict(signed.headers.items()))

    return sign
