"""Cursors: where a list goes on, as an opaque text that is good for that list alone."""

from __future__ import annotations

import base64
import hashlib
import json

from trainbell.errors import InputInvalid, Problem

MAX_CURSOR_LENGTH = 1024
_LARGEST_INTEGER = 2**63 - 1

Position = tuple[int | str, ...]


def write_cursor(scope: str, position: Position) -> str:
    """`scope` names the list with all its filters."""
    document = json.dumps([_digest(scope), *position], ensure_ascii=False)
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def read_cursor(cursor: str, scope: str, shape: tuple[type, ...]) -> Position:
    """The position that was written with this scope; `shape` are the types of its parts.

    Raises:
        InputInvalid: it is no cursor, or one of another list.
    """
    invalid = InputInvalid(
        [Problem("cursor", "is not a cursor of this list: begin again without one")]
    )
    if len(cursor) > MAX_CURSOR_LENGTH:
        raise invalid
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as exc:
        raise invalid from exc
    if not isinstance(parts, list) or parts[:1] != [_digest(scope)]:
        raise invalid
    position = tuple(parts[1:])
    if tuple(type(part) for part in position) != shape:
        raise invalid
    if any(isinstance(part, int) and abs(part) > _LARGEST_INTEGER for part in position):
        raise invalid
    return position


def _digest(scope: str) -> str:
    return hashlib.sha256(scope.encode()).hexdigest()[:12]


def read_text_cursor(cursor: str, scope: str) -> str:
    """As `read_cursor`, where the position is one text."""
    return str(read_cursor(cursor, scope, (str,))[0])
