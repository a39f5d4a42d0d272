"""Cursors of lists: opaque to callers, and good for the list that gave them only."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from trainbell.errors import InputInvalid, Problem

_MAX_LENGTH = 1024


def write_cursor(position: str, scope: str) -> str:
    """`position` is where the next page begins; `scope` says which list, filters included."""
    document = json.dumps([_digest(scope), position])
    return urlsafe_b64encode(document.encode()).decode().rstrip("=")


def read_cursor(cursor: str, scope: str) -> str:
    """The position. Raises InputInvalid (path `cursor`) for a cursor of another list."""
    try:
        if len(cursor) > _MAX_LENGTH:
            raise ValueError("too long")
        padded = cursor + "=" * (-len(cursor) % 4)
        digest, position = json.loads(urlsafe_b64decode(padded.encode("ascii")))
        if digest != _digest(scope) or not isinstance(position, str):
            raise ValueError("of another list")
    except (ValueError, TypeError, RecursionError) as exc:
        problem = Problem("cursor", "is not of this list: start again without a cursor")
        raise InputInvalid([problem]) from exc
    return position


def _digest(scope: str) -> str:
    return sha256(scope.encode()).hexdigest()[:16]
