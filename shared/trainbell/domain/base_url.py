"""Which base URLs a connection may have: rules only, no network."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from trainbell.errors import ConfigInvalid

MAX_URL_LENGTH = 2048
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\U0010ffff\\\"<>^`{|}]")
_HOST_NAME = re.compile(r"^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?$")
_NUMBER = re.compile(r"^(0[xX][0-9a-fA-F]*|[0-9]+)$")


def checked_base_url(url: str) -> str:
    """The URL without its trailing slash, if calls may be sent below it.

    It must be http or https with a host, and must not carry credentials, a query or a fragment:
    those would be logged, or lost when a path is appended. Link-local, multicast and unspecified
    addresses are refused, because no training service lives there and a cloud's own metadata
    service does. Loopback and private addresses are allowed: on-premises installations and
    simulators live there. A name that resolves to such an address is not noticed here.

    Raises:
        ConfigInvalid: with what is wrong, in words that leave the URL's secrets out.
    """
    if len(url) > MAX_URL_LENGTH:
        raise ConfigInvalid(f"the base URL is longer than {MAX_URL_LENGTH} characters")
    if _UNSAFE.search(url):
        raise ConfigInvalid("the base URL holds characters that a URL cannot have")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ConfigInvalid(f"the base URL cannot be read: {exc}") from exc
    if parts.scheme not in ("http", "https"):
        raise ConfigInvalid("the base URL must begin with https:// or http://")
    if "@" in parts.netloc:
        raise ConfigInvalid("the base URL must not carry a user name or password")
    if "?" in url or "#" in url:
        raise ConfigInvalid("the base URL must not have a query or a fragment")
    if not parts.hostname or port == 0:
        raise ConfigInvalid("the base URL needs a host, and a port from 1 to 65535 if any")
    _check_host(parts.hostname)
    return url.rstrip("/")


def _check_host(host: str) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError as exc:
        # `http://2852039166` and `http://0xa9fea9fe` are addresses to the resolver, too.
        if not _HOST_NAME.match(host) or _NUMBER.match(host.rstrip(".").rsplit(".", 1)[-1]):
            raise ConfigInvalid("the base URL's host is neither a name nor an address") from exc
        return
    plain = getattr(address, "ipv4_mapped", None) or address
    metadata = plain in _METADATA
    if metadata or plain.is_link_local or plain.is_multicast or plain.is_unspecified:
        raise ConfigInvalid("the base URL's address cannot be that of a training service")


_METADATA = frozenset(
    {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}
)
"""Metadata services outside the link-local ranges (AWS over IPv6, Alibaba Cloud)."""
