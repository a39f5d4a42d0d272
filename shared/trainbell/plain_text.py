"""Text that people read: harmless for a terminal, on one line, numbers in few digits."""

from __future__ import annotations

import json
import re
from typing import Any

REPLACED_BY = "\N{REPLACEMENT CHARACTER}"
_LINES = str.maketrans("", "", "\n\t")
# Unicode calls them unprintable, yet they only shape what stands around them.
_KEPT = frozenset("\n\t\N{NO-BREAK SPACE}\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")
_NO_DECIMALS_FROM = 1000
_NO_DECIMALS_TO = 1e15
_UNPRINTABLE_IN_JSON = re.compile(r"[^\x20-\x7e]")


def harmless(text: str) -> str:
    """The text without what commands a terminal or turns its lines around: escape sequences
    (C0 and C1), bidirectional controls, half surrogate pairs. Line breaks and tabs stay."""
    if text.isprintable() or text.translate(_LINES).isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT else REPLACED_BY for c in text)


def harmless_json(value: Any) -> str:
    """The value as indented JSON. What `harmless` would replace is escaped, so a program reads
    exactly what was there."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if harmless(text) == text else _UNPRINTABLE_IN_JSON.sub(_escaped, text)


def one_line(text: str, at_most: int = 200) -> str:
    """Without line breaks and control characters, cut where it is too long."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= at_most else flat[: at_most - 1] + "…"


def spell_number(value: float) -> str:
    """At most four digits that mean something: `0.9722`, `12,346`, `1e-05`."""
    return f"{value:,.0f}" if _NO_DECIMALS_FROM <= abs(value) < _NO_DECIMALS_TO else f"{value:.4g}"


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    safe = character.isprintable() or character in _KEPT
    return character if safe else json.dumps(character)[1:-1]
