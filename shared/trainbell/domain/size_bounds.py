"""Keeps a job within one stored item, whatever a service says: counted in bytes, as stores count.

A job is one item in every store, and DynamoDB takes 400 KB. Of these the order may have 256 KiB
(checked when it is given), and all that is seen of the job 100 KiB together, by these shares:

    performance 64 · error details 8 · message, once as seen and once as an error, 2 x 4 ·
    unknown statuses 16 x 1/4 · own status, stage, codes, request id 5 x 1/4

The rest is for names, times, holds and the handle, which has 8 KiB and is never cut: what is left
of it would find no job, or another one (`handle_flaw`). What is cut ends in an ellipsis, and is
named in `LastSeen.cut`. Bytes are those of JSON in UTF-8: a character takes up to four, one that is
escaped up to six.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from trainbell.domain.failure import Failure
from trainbell.domain.observation import Observation

KIB = 1024
ORDER_BYTES_AT_MOST = 256 * KIB
DETAILS_BYTES_AT_MOST = 8 * KIB
MESSAGE_BYTES_AT_MOST = 4 * KIB
WORD_BYTES_AT_MOST = 256
HANDLE_BYTES_AT_MOST = 8 * KIB
HANDLES_BYTES_AT_MOST = 32 * KIB
"""Of several handles in one event."""
DEPTH_AT_MOST = 64

_ELLIPSIS = "…"
_LONGEST_ESCAPE = 6


def json_bytes(value: Any) -> int:
    """How long it is as compact JSON in UTF-8. `value` must be JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "replace"))


def order_bytes(parameters: Mapping[str, Any], tags: Mapping[str, str]) -> int:
    """What the free parts of an order take. Tags are stored twice: to be read, and to be found."""
    return json_bytes(parameters) + 2 * json_bytes(tags)


def bounded_text(text: str, at_most: int = MESSAGE_BYTES_AT_MOST) -> str:
    """Text that every store can keep: no half surrogate pair, and at most so many bytes."""
    if len(text) * _LONGEST_ESCAPE <= at_most and text.isascii():
        return text
    whole = text.encode("utf-8", "replace").decode()
    if json_bytes(whole) - 2 <= at_most:
        return whole
    room = at_most - len(_ELLIPSIS.encode())
    cut = whole[:room]
    while (size := json_bytes(cut) - 2) > room:
        cut = cut[: len(cut) * room // size]
    return cut + _ELLIPSIS


def bounded_details(details: Any) -> Any:
    """A service's own error body, whole where it is JSON of a sane size, as cut text otherwise."""
    if details is None:
        return None
    if _is_too_deep(details):
        return f"nested more than {DEPTH_AT_MOST} levels deep, and not kept"
    try:
        text = json.dumps(details, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return "what is no JSON, and not kept"
    clean = text.encode("utf-8", "replace")
    if len(clean) > DETAILS_BYTES_AT_MOST:
        return bounded_text(text, DETAILS_BYTES_AT_MOST)
    # No store keeps what is not a number.
    return json.loads(clean, parse_constant=lambda _: None)


def handle_flaw(handle: Mapping[str, Any]) -> str | None:
    """Why a handle cannot be kept as it is, without its words; None for a good one."""
    if _is_too_deep(handle):
        return f"is nested more than {DEPTH_AT_MOST} levels deep"
    try:
        text = json.dumps(handle, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except (TypeError, ValueError):
        return "is no JSON"
    if size > HANDLE_BYTES_AT_MOST:
        return f"takes {size} bytes; at most {HANDLE_BYTES_AT_MOST} are kept"
    return None


def bounded_handles(handles: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As many of the first as one event can name."""
    named: list[dict[str, Any]] = []
    room = HANDLES_BYTES_AT_MOST
    for handle in handles:
        room -= json_bytes(handle)
        if room < 0:
            break
        named.append(dict(handle))
    return named


def bounded_failure(failure: Failure) -> Failure:
    return replace(
        failure,
        message=bounded_text(failure.message),
        vendor_code=_word(failure.vendor_code),
        request_id=_word(failure.request_id),
        details=bounded_details(failure.details),
    )


def bounded_observation(seen: Observation) -> tuple[Observation, frozenset[str]]:
    """All but its performance, and the names of what was cut (`performance_bounds` has that)."""
    bounded = replace(
        seen,
        vendor_status=bounded_text(seen.vendor_status, WORD_BYTES_AT_MOST),
        stage=_word(seen.stage),
        signal=_word(seen.signal),
        message=None if seen.message is None else bounded_text(seen.message),
        vendor_code=_word(seen.vendor_code),
        error_details=bounded_details(seen.error_details),
    )
    names = ("vendor_status", "stage", "signal", "message", "vendor_code", "error_details")
    cut = {name for name in names if getattr(bounded, name) != getattr(seen, name)}
    return bounded, frozenset(cut)


def _word(text: str | None) -> str | None:
    return None if text is None else bounded_text(text, WORD_BYTES_AT_MOST)


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_AT_MOST):
        below: list[Any] = []
        for each in level:
            if isinstance(each, Mapping):
                below.extend(each.values())
            elif isinstance(each, list | tuple):
                below.extend(each)
        if not below:
            return False
        level = below
    return True
