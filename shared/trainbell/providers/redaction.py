"""Keeps a connection's own secrets, known by value, out of what a service's answer makes us write.

`trainbell.redaction` is about secrets that are only known by their name or form.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from trainbell.redaction import MASK

MAX_DETAIL_DEPTH = 8
MAX_DETAIL_ITEMS = 50
MAX_DETAIL_TEXT = 1000


class Redactor:
    """Replaces known secrets by a mask, also where they were URL-quoted or base64-encoded."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if secret:
                encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
                forms |= {secret, quote(secret, safe=""), encoded}
        # The longest first: one secret may be a part of another.
        self._forms = sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def excerpt(self, body: bytes, length: int = 120) -> str:
        """The beginning of a body that could not be read, on one line."""
        # Redacted before it is cut, so that no half of a secret stays at the edge.
        whole = self.text(body[: length * 8].decode("utf-8", errors="replace"))
        line = " ".join("".join(c if c.isprintable() else " " for c in whole).split())
        return line if len(line) <= length else line[: length - 1] + "…"

    def details(self, value: Any, depth: int = 0) -> Any:
        """A JSON value of the same shape: redacted, and bounded in depth, items and text."""
        if isinstance(value, str):
            return self.text(value)[:MAX_DETAIL_TEXT]
        if isinstance(value, Mapping):
            if depth == MAX_DETAIL_DEPTH:
                return "…"
            pairs = list(value.items())[:MAX_DETAIL_ITEMS]
            return {self.text(str(k))[:100]: self.details(v, depth + 1) for k, v in pairs}
        if isinstance(value, list):
            if depth == MAX_DETAIL_DEPTH:
                return "…"
            return [self.details(item, depth + 1) for item in value[:MAX_DETAIL_ITEMS]]
        return value
