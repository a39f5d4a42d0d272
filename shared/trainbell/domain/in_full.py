"""The parts of an end that a stored job cannot hold, as one document of bounded size.

A text is cut where even the document has no room for it; any other part is left out. Both are
named in its `cut`. The bound is what one answer of a function can carry: 6 MB, in which each
quotation mark may take two bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from trainbell.domain.observation import Observation
from trainbell.domain.size_bounds import bounded_text, json_bytes

DOCUMENT_BYTES_AT_MOST = 2_500_000
_FRAME_BYTES = 1024


def full_document(seen: Observation, names: Iterable[str]) -> Mapping[str, Any]:
    """`parts`, by the names that `LastSeen.cut` has; `cut`, those that are not whole here either;
    `seen_at`, in UTC."""
    parts: dict[str, Any] = {}
    cut = []
    room = DOCUMENT_BYTES_AT_MOST - _FRAME_BYTES
    sized = [(name, *_sized(_value(seen, name))) for name in names]
    for name, value, size in sorted(sized, key=itemgetter(2)):
        if not size:
            continue
        kept = value
        if size > room:
            cut.append(name)
            if not isinstance(value, str):
                continue
            kept = bounded_text(value, room)
        parts[name] = kept
        room = max(0, room - json_bytes(kept))
    return {"seen_at": seen.seen_at.isoformat(), "parts": parts, "cut": sorted(cut)}


def written(document: Mapping[str, Any]) -> bytes:
    """At most `DOCUMENT_BYTES_AT_MOST`."""
    return _written(document)


def _written(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace")


def _value(seen: Observation, name: str) -> Any:
    where, _, part = name.partition(".")
    value = getattr(seen, where, None)
    return getattr(value, part, None) if part and value is not None else value


def _sized(value: Any) -> tuple[Any, float]:
    """What JSON can hold of it, and how long that is; endless where JSON cannot hold it."""
    if value is None or value in ("", {}, (), []):
        return None, 0
    if isinstance(value, str):
        return value, json_bytes(value)
    try:
        text = _written(value)
        # No JSON has what is not a number.
        return json.loads(text, parse_constant=lambda _: None), len(text)
    except (TypeError, ValueError, RecursionError):
        return None, math.inf
