"""Which base URLs a connection may have: rules only, no network."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from trainbell.domain.addresses import is_loopback_name, is_never
from trainbell.errors import ConfigInvalid

MAX_URL_LENGTH = 2048
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\U0010ffff\\\"<>^`{|}]")
_HOST_NAME = re.compile(r"^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?$")
_NUMBER = re.compile(r"^(0[xX][0-9a-fA-F]*|[0-9]+)$")


def checked_base_url(url: str) -> str:
    """The URL without its trailing slash, if calls may be sent below it.

    It must be https with a host, or http to this machine: a secret travels with every call. It must
    not carry credentials, a query or a fragment: those would be logged, or lost when a path is
    appended. Addresses that nobody may call are refused (`addresses`); what a name resolves to is
    judged when a call connects.

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
    if parts.scheme == "http" and not is_loopback_name(parts.hostname):
        raise ConfigInvalid(
            "the base URL must begin with https://, or the secret would travel unencrypted"
        )
    return url.rstrip("/")


def _check_host(host: str) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError as exc:
        # `http://2852039166` and `http://0xa9fea9fe` are addresses to the resolver, too.
        if not _HOST_NAME.match(host) or _NUMBER.match(host.rstrip(".").rsplit(".", 1)[-1]):
            raise ConfigInvalid("the base URL's host is neither a name nor an address") from exc
        return
    if is_never(address):
        raise ConfigInvalid("the base URL's address cannot be that of a training service")
