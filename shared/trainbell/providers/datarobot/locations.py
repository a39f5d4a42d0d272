"""What the service's links name. They are read and never followed: a link may point anywhere, and
whoever follows it sends the key along."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_STATUS = re.compile(r"/status/(?P<id>[A-Za-z0-9_-]{1,128})/?$")
_RESOURCE = re.compile(
    r"/customModels/(?P<model>[A-Za-z0-9_-]{1,128})"
    r"(?:/versions/(?P<version>[A-Za-z0-9_-]{1,128}))?(?:/|$)"
)


@dataclass(frozen=True, slots=True)
class Named:
    """The custom model, and perhaps the version, that a link is about."""

    model: str
    version: str | None


def status_id(link: str | None) -> str | None:
    found = _STATUS.search(_path(link))
    return found["id"] if found else None


def named(link: str | None) -> Named | None:
    found = _RESOURCE.search(_path(link))
    return Named(found["model"], found["version"]) if found else None


def _path(link: str | None) -> str:
    try:
        return urlsplit(link or "").path
    except ValueError:
        return ""
