"""Secrets of one machine: found where the reference says, and never repeated in an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainbell.errors import ConfigInvalid
from trainbell.secret_sources import SECRET_BYTES_AT_MOST, MachineSecrets

DATA = Path("/nowhere/trainbell")


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_KEY", "k-1")
    assert MachineSecrets(DATA).read("env:SERVICE_KEY") == "k-1"


@pytest.mark.parametrize("value", [None, ""])
def test_an_unset_variable_says_where_to_set_it(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("SERVICE_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("SERVICE_KEY", value)
    with pytest.raises(ConfigInvalid, match="SERVICE_KEY is not set where Trainbell runs"):
        MachineSecrets(DATA).read("env:SERVICE_KEY")


def test_from_a_file_without_its_last_newline(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_bytes(b" k-1 \r\n")
    assert MachineSecrets(DATA).read(f"file:{secret}") == " k-1 "


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"x" * (SECRET_BYTES_AT_MOST + 1), "larger than 64 KiB"),
    ],
)
def test_a_file_that_cannot_be_a_secret(tmp_path: Path, content: bytes | None, words: str) -> None:
    secret = tmp_path / "key"
    if content is not None:
        secret.write_bytes(content)
    with pytest.raises(ConfigInvalid, match=words):
        MachineSecrets(DATA).read(f"file:{secret}")


@pytest.mark.parametrize("reference", ["hunter2-the-secret", "ssm:/trainbell/key", "hunter2:x"])
def test_another_reference_is_refused_without_repeating_it(reference: str) -> None:
    with pytest.raises(ConfigInvalid, match="use env:NAME or file:/path") as refusal:
        MachineSecrets(DATA).read(reference)
    assert "hunter2" not in str(refusal.value)
