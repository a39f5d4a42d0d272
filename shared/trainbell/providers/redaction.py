"""Keeps a connection's own secrets, known by value, out of what a service's answer makes us write.

`trainbell.redaction` is about secrets that are only known by their name or form.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from datetime import datetime
from functools import lru_cache
from operator import is_not
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

from trainbell.redaction import MASK, is_secret_name

MAX_DETAIL_DEPTH = 8
MAX_DETAIL_ITEMS = 50
MAX_DETAIL_TEXT = 1000
MAX_DEPTH = 64

_TELLING = 8
"""So many characters of a secret at the cut end of a text are as good as the whole. And shorter
secrets are left where they stand in an id: they may well be a part of it by chance."""

_LINE_AT_LEAST = 16
_ENCODED_AT_LEAST = 6
_KEPT_TEXTS = 4096
_SHORT = 64
_WITHOUT_TEXT = frozenset({type(None), bool, int, float, datetime})
_QUOTED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")

Value = TypeVar("Value")


class Redactor:
    """Replaces known secrets by a mask: as they are, URL-quoted in whatever way, in base64
    (wherever they stand in what was encoded), escaped as JSON, and cut off at a text's end."""

    def __init__(self, secrets: Iterable[str] = (), *, at_least: int = 1) -> None:
        """`at_least`: secrets shorter than that are left alone."""
        given = {part for secret in secrets for part in _parts(secret) if len(part) >= at_least}
        # The longest first: one secret may be a part of another.
        self._forms = sorted({f for each in given for f in _forms(each)}, key=len, reverse=True)
        self._heads = [(form[:_TELLING], form) for form in self._forms]
        # A service repeats itself, and most of what it says holds no secret.
        self._harmless: set[str] = set()

    def text(self, text: str) -> str:
        if text in self._harmless:
            return text
        found = text
        for head, form in self._heads:
            if head in found:
                found = _masked(found, _spans(found, head, form))
        if "%" in found:
            found = self._masked_where_quoted(found)
        if found == text and len(text) <= _SHORT:
            if len(self._harmless) >= _KEPT_TEXTS:
                self._harmless.clear()
            self._harmless.add(text)
        return found

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

    def value(self, value: Value, depth: int = 0) -> Value:
        """Whatever a provider gives, with every text in it redacted; the same object where none
        had to be. Dataclasses, mappings, lists and tuples are gone through."""
        kind: Any = type(value)
        found: Any = value
        if kind in _WITHOUT_TEXT:
            pass
        elif kind is str:
            found = self.text(found)
        elif depth == MAX_DEPTH:
            found = "…"
        elif issubclass(kind, Mapping):
            found = self._redacted_mapping(found, depth)
        elif issubclass(kind, list | tuple):
            items = [self.value(item, depth + 1) for item in found]
            if any(map(is_not, items, found)):
                found = kind(items)
        elif is_dataclass(value):
            found = self._redacted_fields(found, depth)
        return found  # type: ignore[no-any-return]  # of the type that it had

    def error(self, error: BaseException) -> None:
        """Redact an error and those that led to it in place: it is logged with all of them."""
        seen: set[int] = set()
        each: BaseException | None = error
        while each is not None and id(each) not in seen:
            seen.add(id(each))
            each.args = tuple(self.value(arg) for arg in each.args)
            for name in ("vendor_code", "request_id", "details"):
                if getattr(each, name, None) is not None:
                    setattr(each, name, self.value(getattr(each, name)))
            each = each.__cause__ or each.__context__

    def _redacted_mapping(self, mapping: Mapping[Any, Any], depth: int) -> Mapping[Any, Any]:
        changed = False
        pairs = {}
        for key, value in mapping.items():
            shown_key, shown = self.value(key), self.value(value, depth + 1)
            changed = changed or shown_key is not key or shown is not value
            pairs[shown_key] = shown
        return pairs if changed else mapping

    def _redacted_fields(self, value: Any, depth: int) -> Any:
        changes = {}
        for name in value.__dataclass_fields__:
            before = getattr(value, name)
            if type(before) in _WITHOUT_TEXT:
                continue
            after = self.value(before, depth + 1)
            if after is not before:
                changes[name] = after
        return replace(value, **changes) if changes else value

    def _masked_where_quoted(self, text: str) -> str:
        for head, form in self._heads:
            plain, begins = _unquoted(text)
            spans = [(begins[i], begins[j]) for i, j in _spans(plain, head, form)]
            text = _masked(text, spans)
        return text


@lru_cache(maxsize=256)
def redactor_of(secrets: tuple[str, ...], *, at_least: int = 1) -> Redactor:
    """The same one again for the same secrets: making it costs as much as a few polls."""
    return Redactor(secrets, at_least=at_least)


def _parts(secret: str) -> Iterator[str]:
    """What is secret in it: the whole, and the parts that it is sent as."""
    secret = secret.strip()
    if not secret:
        return
    yield secret
    if secret.startswith("{"):
        try:
            document = json.loads(secret)
        except ValueError:
            return
        for name, value in document.items():
            if isinstance(value, str) and value and is_secret_name(name):
                yield value


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    if "\n" in secret:
        # A key in PEM form, which others wrap otherwise.
        lines = (line.strip() for line in secret.splitlines())
        yield from (line for line in lines if len(line) >= _LINE_AT_LEAST and "-----" not in line)
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode()).decode()
        # Without the characters that depend on what stands before and after it.
        first, last = -(-before * 8 // 6), (before + len(secret.encode())) * 8 // 6
        core = encoded[first:last]
        if len(core) >= _ENCODED_AT_LEAST:
            yield core
            yield core.replace("+", "-").replace("/", "_")


def _spans(text: str, head: str, form: str) -> list[tuple[int, int]]:
    """Where the form stands in the text, and where the text ends in the middle of it."""
    found = []
    start = text.find(head)
    while start >= 0:
        end = start + len(form)
        if text.startswith(form, start):
            found.append((start, end))
        elif len(head) == _TELLING and form.startswith(text[start:].rstrip("….")):
            found.append((start, len(text)))
            break
        else:
            end = start + 1
        start = text.find(head, end)
    return found


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in reversed(spans):
        text = text[:start] + MASK + text[end:]
    return text


def _unquoted(text: str) -> tuple[str, list[int]]:
    """The text with its URL quoting undone, and where each character of that, and its end, stands
    in the text."""
    plain: list[str] = []
    begins: list[int] = []
    at = 0
    for run in _QUOTED.finditer(text):
        begins += range(at, run.start())
        plain.append(text[at : run.start()])
        at = run.start()
        for character in bytes.fromhex(run[0].replace("%", "")).decode(errors="surrogateescape"):
            begins.append(at)
            plain.append(character)
            at += 3 * len(character.encode(errors="surrogateescape"))
    begins += range(at, len(text) + 1)
    plain.append(text[at:])
    return "".join(plain), begins
