"""To whom the command line sends the owner's token: this machine, or through encryption."""

from __future__ import annotations

import pytest
import typer

from trainbell.cli.connecting import find_trainbell

TOKEN = "owner-token-canary"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINBELL_TOKEN", TOKEN)
    for name in ("TRAINBELL_SIGN", "TRAINBELL_PLAIN_HTTP_TO"):
        monkeypatch.delenv(name, raising=False)


def refusal(url: str) -> str:
    with pytest.raises(typer.BadParameter) as refused:
        find_trainbell(url)
    assert TOKEN not in refused.value.message
    return str(refused.value.message)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8765",
        "http://127.1.2.3:8765",
        "http://localhost:8765/",
        "http://[::1]:8765",
        "http://[::ffff:127.0.0.1]:8765",
        "https://trainbell.example/base",
        "https://10.0.0.1",
    ],
)
def test_this_machine_and_encryption(url: str) -> None:
    with find_trainbell(url) as trainbell:
        assert trainbell.url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://lab-server:8765",
        "http://10.0.0.1",
        "HTTP://93.184.216.34",
        "http://[fd00::1]:8765",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://0.0.0.0:8765",
    ],
)
@pytest.mark.parametrize("signed", [False, True])
def test_another_machine_in_clear_is_refused(
    url: str, signed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if signed:
        monkeypatch.setenv("TRAINBELL_SIGN", "1")
    assert "unencrypted: use https://" in refusal(url)


def test_one_host_may_be_named_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINBELL_PLAIN_HTTP_TO", "lab-server")
    find_trainbell("http://Lab-Server:8765").close()
    assert "TRAINBELL_PLAIN_HTTP_TO=lab-server2" in refusal("http://lab-server2:8765")
    monkeypatch.setenv("TRAINBELL_PLAIN_HTTP_TO", "[fd00::1]")
    find_trainbell("http://[fd00::1]:8765").close()


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = refusal("http://ada:pass-canary@lab-server:8765/?key=key-canary#x")
    for words in ("no user and no password", "without ? and #", "unencrypted"):
        assert words in said
    assert "canary" not in said


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8765", "http://[", "ftp://lab", "", "http://", "ada:pw@"]
)
def test_what_is_no_url(url: str) -> None:
    assert "is no URL such as" in refusal(url)
