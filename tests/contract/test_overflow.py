"""What keeps documents beside the store: a directory, and a bucket over a real socket."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.hostile_servers import headers_a_byte_at_a_time, serving
from trainbell.cloud.clients import AwsClients
from trainbell.cloud.s3_overflow import S3Overflow
from trainbell.errors import StoreUnavailable, TrainbellError
from trainbell.ports import Nowhere, Overflow
from trainbell.stores.overflow_files import OverflowFiles

JOB = "01job" + "0" * 21
BUCKET = "in-full"
DOCUMENT = json.dumps({"parts": {"message": "訓練 \u0000" * 200_000}}).encode()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@contextmanager
def a_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Overflow]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        maker = boto3.session.Session().client("s3")
        maker.create_bucket(Bucket=BUCKET)
        maker.close()
        clients = AwsClients()
        yield S3Overflow(clients, BUCKET, "red")
        clients.s3.close()
    finally:
        server.stop()


@pytest.fixture(params=["files", "s3"])
def overflow(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Overflow]:
    if request.param == "files":
        yield OverflowFiles(tmp_path / "in-full")
        return
    with a_bucket(monkeypatch) as overflow:
        yield overflow


def test_a_document_is_kept_read_replaced_and_forgotten(overflow: Overflow) -> None:
    assert overflow.read(JOB) is None
    overflow.forget(JOB)
    assert overflow.keep(JOB, b"{}")
    assert overflow.keep(JOB, DOCUMENT)
    assert overflow.read(JOB) == DOCUMENT
    assert overflow.read("01job" + "1" * 21) is None
    overflow.forget(JOB)
    assert overflow.read(JOB) is None


def test_nowhere_keeps_nothing() -> None:
    assert not Nowhere().keep(JOB, DOCUMENT)
    assert Nowhere().read(JOB) is None
    Nowhere().forget(JOB)


def test_its_files_are_the_owners_alone_and_whole(tmp_path: Path) -> None:
    directory = tmp_path / "in-full"
    OverflowFiles(directory).keep(JOB, DOCUMENT)
    (file,) = directory.iterdir()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_directory_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "in-full").write_text("a file in its place")
    overflow = OverflowFiles(tmp_path / "in-full")
    for act in (lambda: overflow.keep(JOB, b"{}"), lambda: overflow.read(JOB)):
        with pytest.raises(StoreUnavailable, match="in-full cannot be"):
            act()


def test_a_bucket_that_is_not_there_or_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_bucket(monkeypatch):
        elsewhere = S3Overflow(AwsClients(), "another", "red")
        for act in (lambda: elsewhere.keep(JOB, b"{}"), lambda: elsewhere.forget(JOB)):
            with pytest.raises(TrainbellError, match="NoSuchBucket"):
                act()
    with serving(headers_a_byte_at_a_time) as url:
        pass
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(StoreUnavailable):
        S3Overflow(AwsClients(), BUCKET, "red").keep(JOB, b"{}")
