"""Reads the two kinds of form that Einstein takes."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from trainbell.simulators.service import Request

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?boundary="?([^";,]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(rb'(?im)^content-disposition:\s*form-data;.*?\bname="([^"]*)"')


class NotAForm(ValueError):
    """The body is not what its content type says, or that is another."""


def multipart_fields(request: Request) -> dict[str, str]:
    """The text fields of a `multipart/form-data` body. Raises NotAForm."""
    boundary = _BOUNDARY.match(request.headers.get("content-type", ""))
    if boundary is None:
        raise NotAForm("Content-Type must be multipart/form-data")
    mark = b"\r\n--" + boundary[1].encode()
    first, *parts = (b"\r\n" + request.body).split(mark)
    if first.strip() or len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise NotAForm("the multipart body is broken")
    fields = {}
    for part in parts[:-1]:
        head, blank, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(head.strip())
        if name is None or not blank:
            raise NotAForm("a part of the multipart body has no name")
        fields[name[1].decode()] = value.decode(errors="replace")
    return fields


def urlencoded_fields(request: Request) -> dict[str, str]:
    """The fields of an `application/x-www-form-urlencoded` body. Raises NotAForm."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise NotAForm("Content-Type must be application/x-www-form-urlencoded")
    return dict(parse_qsl(request.body.decode("utf-8", errors="replace")))
