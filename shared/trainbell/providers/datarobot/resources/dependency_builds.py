"""`…/dependencyBuild/`: the image with a version's dependencies, one at most for a version."""

from __future__ import annotations

import base64
import binascii
import io
import tarfile
import zlib
from collections.abc import Sequence

from pydantic_core import from_json

from trainbell.providers.datarobot.resources.versions import version_path
from trainbell.providers.datarobot.vendor_models import DependencyBuild
from trainbell.providers.http import ServiceHttp
from trainbell.providers.service_call import Call, Effect, Reply

MAX_LOG_BYTES = 10_000_000
_GZIP = b"\x1f\x8b"


class DependencyBuilds:
    def __init__(self, http: ServiceHttp) -> None:
        self._http = http

    def start(self, model_id: str, version_id: str) -> DependencyBuild:
        call = Call(
            operation="start a dependency build",
            method="POST",
            path=_path(model_id, version_id),
            effect=Effect.START,
        )
        return self._http.send(call).model(DependencyBuild)

    def get(self, model_id: str, version_id: str) -> DependencyBuild:
        """Raises ProviderRejected: 422 where none was started."""
        call = Call(
            operation="get a dependency build",
            path=_path(model_id, version_id),
            missing_is_job=True,
        )
        return self._http.send(call).model(DependencyBuild)

    def cancel(self, model_id: str, version_id: str) -> None:
        """Raises ProviderRejected: 409 once it has ended, 422 where none was started or its image
        is in use."""
        call = Call(
            operation="cancel a dependency build",
            method="DELETE",
            path=_path(model_id, version_id),
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self._http.send(call)

    def log(self, model_id: str, version_id: str) -> Sequence[str]:
        """Its lines. Raises ProviderJobMissing while it is being built, ProviderRejected (422)
        where none was started."""
        call = Call(
            operation="read a build's log",
            path=f"{version_path(model_id, version_id)}dependencyBuildLog/",
            headers={"Accept": "*/*"},
            missing_is_job=True,
            max_bytes=MAX_LOG_BYTES,
        )
        reply = self._http.send(call)
        return _text(reply, _archive(reply.body)).splitlines()


def _archive(body: bytes) -> bytes:
    """The archive itself, whether it is the body or, as the schema says, `data` of a JSON body."""
    if body.startswith(_GZIP):
        return body
    try:
        document = from_json(body)
    except ValueError:
        return body
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, str):
        return body
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return data.encode()


def _text(reply: Reply, archive: bytes) -> str:
    if not archive.startswith(_GZIP):
        return archive.decode("utf-8", errors="replace")
    unpacked = _unzipped(reply, archive)
    try:
        with tarfile.open(fileobj=io.BytesIO(unpacked)) as tar:
            files = (tar.extractfile(member) for member in tar if member.isfile())
            parts = [file.read() for file in files if file is not None]
    except (tarfile.TarError, EOFError) as exc:
        raise reply.unreadable("no readable tar.gz") from exc
    return b"".join(parts).decode("utf-8", errors="replace")


def _unzipped(reply: Reply, archive: bytes) -> bytes:
    """Bounded, because a small archive can hold terabytes."""
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = unzip.decompress(archive, MAX_LOG_BYTES)
    except zlib.error as exc:
        raise reply.unreadable("no readable tar.gz") from exc
    if unzip.unconsumed_tail:
        raise reply.unreadable(f"unpacked it is larger than {MAX_LOG_BYTES} bytes")
    return unpacked


def _path(model_id: str, version_id: str) -> str:
    return f"{version_path(model_id, version_id)}dependencyBuild/"
