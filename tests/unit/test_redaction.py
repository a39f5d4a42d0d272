"""What counts as a secret, by name and by form; and what does not."""

from __future__ import annotations

import pytest

from trainbell.redaction import MASK, is_secret_name, redacted, redacted_text


@pytest.mark.parametrize(
    "name",
    ["token", "apiKey", "API_KEY", "x-auth-token", "DB_PASSWORD", "Authorization", "clientSecret"],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["max_tokens", "keypoints", "monkey", "author", "epochs", ""])
def test_names_that_only_look_alike(name: str) -> None:
    assert not is_secret_name(name)


def test_the_shape_and_everything_else_stay() -> None:
    value = {"epochs": 3, "auth": {"user": "ada"}, "token": None, "list": [1, {"password": 4711}]}
    masked = {"epochs": 3, "auth": MASK, "token": None, "list": [1, {"password": MASK}]}
    assert redacted(value) == masked


def test_a_command_line() -> None:
    command = ["python", "train.py", "--api-key", "abc", "--lr", "0.1", "--token=abc", "TOKEN=abc"]
    assert redacted(command) == [
        "python",
        "train.py",
        "--api-key",
        MASK,
        "--lr",
        "0.1",
        f"--token={MASK}",
        f"TOKEN={MASK}",
    ]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see https://ada:hunter2@host/path", f"see https://{MASK}@host/path"),
        ("Authorization: Bearer abcdef.ghi", f"Authorization: {MASK} {MASK}"),
        (
            "posted to https://hooks.slack.com/services/T/B/x",
            f"posted to https://hooks.slack.com/{MASK}",
        ),
        ("password = 'two words', then", f"password = {MASK}, then"),
        ("accuracy=0.9 for keypoints: all", "accuracy=0.9 for keypoints: all"),
    ],
)
def test_running_text(text: str, masked: str) -> None:
    assert redacted_text(text) == masked
