"""Reads `multipart/form-data` bodies (RFC 7578), as far as clients write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trainbell.simulators.datarobot.answers import Refused

_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?')
_NAME = re.compile(r'[; ]name="([^"]*)"')
_FILE_NAME = re.compile(r'filename="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    file_name: str | None
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", errors="replace")


def parts(content_type: str, body: bytes) -> list[Part]:
    """Every part in order. Raises Refused (400) where it is no such body."""
    boundary = _BOUNDARY.search(content_type)
    if not content_type.startswith("multipart/form-data") or boundary is None:
        raise Refused(400, "The request is no multipart/form-data.")
    pieces = body.split(b"--" + boundary[1].encode())
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Refused(400, "The multipart body does not end.")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, separator, content = piece.partition(b"\r\n\r\n")
    headers = head.decode("utf-8", errors="replace")
    name = _NAME.search(headers)
    if not separator or name is None:
        raise Refused(400, "A part of the multipart body has no name.")
    file_name = _FILE_NAME.search(headers)
    return Part(name[1], file_name[1] if file_name else None, content.removesuffix(b"\r\n"))
