"""Keeps secrets out of what leaves Trainbell: events, messages, errors, logs.

Two kinds of knowledge: the name a value stands under (`api_key`, `--password`), and the form of
well-known secrets in running text (a user in a URL, a bearer token, a Slack webhook).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MASK = "***"

_SECRET_WORDS = frozenset(
    {
        "apikey",
        "auth",
        "authorization",
        "bearer",
        "cookie",
        "credential",
        "credentials",
        "jwt",
        "key",
        "keys",
        "passphrase",
        "passwd",
        "password",
        "pwd",
        "secret",
        "secrets",
        "signature",
        "token",
    }
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NAME = r"[A-Za-z][\w-]{0,63}"
_FLAG = re.compile(rf"-{{1,2}}({_NAME})")
_PAIR = re.compile(rf"(-{{0,2}}({_NAME})\s{{0,4}}[=:]\s{{0,4}})(\"[^\"]*\"|'[^']*'|[^\s,;&]+)")
_IN_TEXT = (
    (re.compile(r"(\w{2,16}://)[^/\s@]{1,512}@"), rf"\1{MASK}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {MASK}"),
    (re.compile(r"(https?://hooks\.slack(?:-gov)?\.com)/\S*"), rf"\1/{MASK}"),
)


def is_secret_name(name: str) -> bool:
    """Whether a value of this name is likely a secret: `apiKey`, `DB_PASSWORD`, `x-auth-token`.

    Names in the plural that count things (`max_tokens`) are not.
    """
    return any(word.lower() in _SECRET_WORDS for word in _WORDS.findall(name))


def redacted(value: Any) -> Any:
    """A copy of a JSON value with secrets masked; its shape and its other values stay.

    In a list of strings, as in a command line, the item after a flag with a secret's name is
    masked: `["--api-key", "abc"]`.
    """
    if isinstance(value, str):
        return redacted_text(value)
    if isinstance(value, Mapping):
        return {str(key): _redacted_member(str(key), item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return _redacted_items(value)
    return value


def redacted_text(text: str) -> str:
    """Running text with well-known forms of secrets masked, and values of secret names."""
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    return _PAIR.sub(lambda m: m[1] + (MASK if is_secret_name(m[2]) else m[3]), text)


def _redacted_member(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool) or not is_secret_name(name):
        return redacted(value)
    return MASK


def _redacted_items(items: Sequence[Any]) -> list[Any]:
    masked = []
    after_secret_flag = False
    for item in items:
        masked.append(MASK if after_secret_flag else redacted(item))
        flag = _FLAG.fullmatch(item) if isinstance(item, str) else None
        after_secret_flag = flag is not None and is_secret_name(flag[1])
    return masked
