"""The list of what a machine's secrets are allowed: edited by a person or a command, never lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trainbell.domain.secret_bounds import Bound
from trainbell.errors import ConfigInvalid
from trainbell.secret_list import BYTES_AT_MOST, FILE_NAME, SecretList

LAB = Bound.of(["lab.example"], "acme")


def test_what_is_allowed_stands_in_a_file_that_a_person_can_read(tmp_path: Path) -> None:
    listed = SecretList(tmp_path / "made")
    listed.allow("env:KEY", LAB)
    listed.allow("env:KEY", LAB)
    listed.allow("env:KEY", Bound.of(["*.example.com", "[::1]:80"]))
    listed.allow("env:OTHER", Bound.of([], "acme"))
    file = tmp_path / "made" / FILE_NAME
    assert json.loads(file.read_text()) == {
        "env:KEY": [
            {"provider": "acme", "hosts": ["lab.example"]},
            {"hosts": ["*.example.com", "[::1]:80"]},
        ],
        "env:OTHER": [{"provider": "acme"}],
    }
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert SecretList(tmp_path / "made").all() == listed.all()


def test_a_change_by_hand_counts_at_once(tmp_path: Path) -> None:
    listed = SecretList(tmp_path)
    assert listed.bounds("env:KEY") == ()
    (tmp_path / FILE_NAME).write_text(
        '{"env:KEY": [{"provider": "acme", "hosts": ["lab.example"]}]}'
    )
    assert listed.bounds("env:KEY") == [LAB]
    (tmp_path / FILE_NAME).unlink()
    assert listed.bounds("env:KEY") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no JSON object"),
        ('{"env:KEY": []}', "env:KEY: must be a list"),
        ('{"env:KEY": {"hosts": ["a.example"]}}', "env:KEY: must be a list"),
        ('{"env:KEY": ["a.example"]}', "each is an object"),
        ('{"env:KEY": [{"host": "a.example"}]}', "each is an object"),
        ('{"env:KEY": [{"hosts": "a.example"}]}', "hosts must be a list"),
        ('{"env:KEY": [{"hosts": [1]}]}', "hosts must be a list"),
        ('{"env:KEY": [{"provider": 1}]}', "provider must be a text"),
        ('{"env:KEY": [{}]}', "at least one host"),
        ('{"env:A": [{"hosts": ["*"]}], "env:B": [{"hosts": ["x/y"]}]}', "env:B: 'x/y'"),
        (" " * (BYTES_AT_MOST + 1), "larger than"),
    ],
)
def test_a_list_that_cannot_be_read_allows_nothing_and_is_not_written_over(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / FILE_NAME
    file.write_text(text)
    for act in (
        lambda: SecretList(tmp_path).bounds("env:KEY"),
        lambda: SecretList(tmp_path).allow("env:KEY", LAB),
    ):
        with pytest.raises(ConfigInvalid, match=FILE_NAME) as refused:
            act()
        assert words in str(refused.value)
    assert file.read_text() == text


def test_a_list_that_others_may_write_allows_nothing(tmp_path: Path) -> None:
    SecretList(tmp_path).allow("env:KEY", LAB)
    (tmp_path / FILE_NAME).chmod(0o620)
    with pytest.raises(ConfigInvalid, match="chmod 600"):
        SecretList(tmp_path).bounds("env:KEY")


def test_many_who_allow_at_once_lose_nothing(tmp_path: Path) -> None:
    def allow(number: int) -> None:
        SecretList(tmp_path).allow(f"env:KEY_{number}", LAB)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(allow, range(40)))
    assert len(SecretList(tmp_path).all()) == 40
    assert not list(tmp_path.glob(".*"))
