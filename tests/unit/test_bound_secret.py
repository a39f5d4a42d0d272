"""The one place where a secret is handed out."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainbell.domain.secret_bounds import Bound, Destination, HostPattern, SecretUse
from trainbell.errors import ConfigInvalid
from trainbell.extensions.bound_secret import BoundAddress, BoundSecret
from trainbell.secret_list import SecretList, canonical
from trainbell.secret_sources import MachineSecrets

CANARY = "canary-2f6b1c"
OWN = (HostPattern.of("api.example.com"),)


def going_to(url: str, user: str = "acme") -> SecretUse:
    return SecretUse(user, (Destination.of_url(url),), OWN)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir(mode=0o700)
    return tmp_path / "data"


@pytest.fixture
def reference(tmp_path: Path) -> str:
    (tmp_path / "key").write_text(CANARY + "\n")
    return f"file:{tmp_path / 'key'}"


def test_what_nobody_bound_goes_to_its_providers_own_hosts_alone(
    data: Path, reference: str
) -> None:
    vault = MachineSecrets(data)
    assert BoundSecret(vault, reference, going_to("https://api.example.com")).read(reference)
    for url in ("https://evil.example", "https://api.example.com:444", "http://127.0.0.1:9"):
        with pytest.raises(ConfigInvalid, match="is not allowed to go to") as refused:
            BoundSecret(vault, reference, going_to(url)).read(reference)
        assert CANARY not in str(refused.value)


def test_the_refusal_says_exactly_what_its_owner_can_run(data: Path, reference: str) -> None:
    use = going_to("http://127.0.0.1:9101")
    with pytest.raises(ConfigInvalid) as refused:
        BoundSecret(MachineSecrets(data), reference, use).require()
    command = f"trainbell secrets allow {reference} --provider acme --host 127.0.0.1:9101"
    assert str(refused.value).endswith(command)
    SecretList(data).allow(reference, Bound.of(["127.0.0.1:9101"], "acme"))
    assert BoundSecret(MachineSecrets(data), reference, use).read(reference) == CANARY


def test_no_file_is_looked_at_before_it_may_go_there(data: Path) -> None:
    """Or the error would say which files there are."""
    reference = "file:/nowhere/at/all"
    with pytest.raises(ConfigInvalid, match="is not allowed to go to"):
        BoundSecret(MachineSecrets(data), reference, going_to("https://evil.example")).read(
            reference
        )


def test_a_permission_counts_when_it_is_given_and_no_longer_than_that(
    data: Path, reference: str
) -> None:
    secret = BoundSecret(MachineSecrets(data), reference, going_to("https://lab.example"))
    listed = SecretList(data)
    with pytest.raises(ConfigInvalid):
        secret.read(reference)
    listed.allow(reference, Bound.of(["lab.example"]))
    assert secret.read(reference) == CANARY
    assert listed.withdraw(reference)
    assert not listed.withdraw(reference)
    with pytest.raises(ConfigInvalid):
        secret.read(reference)


def test_a_bound_secret_goes_nowhere_else_not_even_to_its_providers_own_hosts(
    data: Path, reference: str
) -> None:
    SecretList(data).allow(reference, Bound.of(["lab.example"], "acme"))
    vault = MachineSecrets(data)
    for use in (going_to("https://api.example.com"), going_to("https://lab.example", "other")):
        with pytest.raises(ConfigInvalid):
            BoundSecret(vault, reference, use).read(reference)


def test_another_spelling_of_a_file_is_the_same_secret(
    data: Path, reference: str, tmp_path: Path
) -> None:
    SecretList(data).allow(reference, Bound.of(["lab.example"]))
    (tmp_path / "link").symlink_to(tmp_path / "key")
    for spelling in (f"file:{tmp_path}/link", f"file:{tmp_path}/data/../key", f"{reference}/"):
        assert canonical(spelling) == canonical(reference)
        assert MachineSecrets(data).refusal(spelling, going_to("https://api.example.com"))


@pytest.mark.parametrize("name", ["owner-token", "trainbell.sqlite3", "../data/owner-token"])
def test_trainbells_own_files_are_no_secret_for_a_service(data: Path, name: str) -> None:
    (data / "owner-token").write_text(CANARY)
    said = MachineSecrets(data).refusal(f"file:{data}/{name}", going_to("https://api.example.com"))
    assert said is not None
    assert "own data directory" in said


def test_only_the_reference_of_the_settings_is_read(data: Path, reference: str) -> None:
    secret = BoundSecret(MachineSecrets(data), "env:OTHER", going_to("https://api.example.com"))
    with pytest.raises(ConfigInvalid, match="not the secret of these settings"):
        secret.read(reference)
    with pytest.raises(ConfigInvalid, match="not the secret of these settings"):
        BoundSecret(MachineSecrets(data), None, going_to("https://api.example.com")).read(reference)


@pytest.mark.parametrize(
    ("value", "is_given"),
    [
        ("https://hooks.example.com/T/1", True),
        ("https://hooks.example.com:444/T/1", False),
        ("https://evil.example/T/1", False),
        ("https://hooks.example.com@evil.example/T/1", False),
        ("http://127.0.0.1:1/x", False),
        ("ftp://hooks.example.com/x", False),
        ("a-key-and-no-address", True),
    ],
)
def test_a_channels_secret_is_given_out_where_it_leads_to_its_receiver(
    data: Path, tmp_path: Path, value: str, is_given: bool
) -> None:
    (tmp_path / "url").write_text(value)
    reference = f"file:{tmp_path / 'url'}"
    use = SecretUse("pager", (), (HostPattern.of("hooks.example.com"),), is_address=True)
    secret = BoundAddress(MachineSecrets(data), reference, use)
    secret.require()
    if is_given:
        assert secret.read(reference) == value
        return
    with pytest.raises(ConfigInvalid) as refused:
        secret.read(reference)
    assert "evil" not in str(refused.value)
    assert "127.0.0.1" not in str(refused.value)


def test_a_key_that_is_bound_to_a_host_is_no_webhook(data: Path, reference: str) -> None:
    SecretList(data).allow(reference, Bound.of(["lab.example"]))
    use = SecretUse("pager", (), (HostPattern.of("hooks.example.com"),), is_address=True)
    with pytest.raises(ConfigInvalid):
        BoundAddress(MachineSecrets(data), reference, use).read(reference)
