"""Where a secret may go: rules only, no network and no secret.

Whoever owns a secret binds it to hosts, to a user (a provider, or a kind of channel), or to both.
One that is not bound may go to its user's own hosts, which the vendor runs, and nowhere else:
whoever names a host of their own never gets somebody else's key.

A host is written `api.example.com`, `*.example.com` (exactly one label in front), `10.0.0.7` or
`[::1]`, with `:port` where it is not the usual one. It is compared, never resolved: another name of
the same machine is another host.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from trainbell.domain.addresses import is_loopback_name
from trainbell.errors import ConfigInvalid

HOSTS_AT_MOST = 50
AMBIENT = "ambient:credentials"
"""The reference to what a provider finds by itself where a connection names no secret: the
machine's own credentials. No connection can name it."""

_USUAL_PORT = {"https": 443, "http": 80}
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_PORT_AT_MOST = 65_535
_USER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_SUFFIX_LABELS_AT_LEAST = 2


@dataclass(frozen=True, slots=True)
class Destination:
    """The host and port that a URL leads to, and whether that is its scheme's usual port."""

    host: str
    port: int
    is_usual_port: bool = False

    def __str__(self) -> str:
        return _written(self.host, None if self.is_usual_port else self.port)

    @classmethod
    def of_url(cls, url: str) -> Destination:
        """Raises ConfigInvalid where the URL names no host, or names a user beside it."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ConfigInvalid("the URL's host cannot be read") from None
        if parts.scheme not in _USUAL_PORT or not host or "@" in parts.netloc or "\\" in url:
            raise ConfigInvalid("the URL's host cannot be read")
        usual = _USUAL_PORT[parts.scheme]
        port = usual if port is None else port
        return cls(_canonical(host), port, port == usual)


@dataclass(frozen=True, slots=True)
class HostPattern:
    """One host as its owner wrote it. `port` None: the usual one. `is_suffix`: exactly one label
    stands in front of `host`."""

    host: str
    port: int | None = None
    is_suffix: bool = False

    def __str__(self) -> str:
        return ("*." if self.is_suffix else "") + _written(self.host, self.port)

    @classmethod
    def of(cls, text: str) -> HostPattern:
        """Read one. `.example.com` is `*.example.com`, for tags, which may hold no asterisk.

        Raises:
            ConfigInvalid: it is none, or too wide.
        """
        wildcard = next((sign for sign in ("*.", ".") if text.startswith(sign)), "")
        host, port = _split(text.removeprefix(wildcard))
        try:
            name = _canonical(host)
        except ConfigInvalid:
            raise _no_host(text) from None
        if wildcard and (_is_address(name) or name.count(".") + 1 < _SUFFIX_LABELS_AT_LEAST):
            raise ConfigInvalid(f"{text[:300]!r} is too wide: name at least *.example.com")
        return cls(name, port, bool(wildcard))

    def matches(self, destination: Destination) -> bool:
        if not (destination.is_usual_port if self.port is None else self.port == destination.port):
            return False
        if not self.is_suffix:
            return self.host == destination.host
        label, _, rest = destination.host.partition(".")
        return bool(label) and rest == self.host and not _is_address(destination.host)


@dataclass(frozen=True, slots=True)
class Bound:
    """What an owner allowed. No `hosts`: those that the user brings. No `user`: whoever it is."""

    hosts: tuple[HostPattern, ...] = ()
    user: str | None = None

    @classmethod
    def of(cls, hosts: Iterable[str], user: str | None = None) -> Bound:
        """Raises ConfigInvalid, with every problem, or where it would allow everything."""
        hosts = list(hosts)
        problems, patterns = [], []
        for text in hosts:
            try:
                patterns.append(HostPattern.of(text))
            except ConfigInvalid as error:
                problems.append(str(error))
        if user is not None and not _USER.fullmatch(user):
            problems.append("a provider is named by a-z, 0-9, - and _")
        if not hosts and user is None:
            problems.append("name at least one host, or a provider")
        if len(hosts) > HOSTS_AT_MOST:
            problems.append(f"{len(hosts)} hosts; {HOSTS_AT_MOST} at most")
        if problems:
            raise ConfigInvalid("; ".join(problems))
        return cls(tuple(dict.fromkeys(patterns)), user)

    def allows(self, use: SecretUse) -> bool:
        if self.user is not None and self.user != use.user:
            return False
        if not use.destinations:
            return use.is_address or not self.hosts
        if not self.hosts:
            return all(map(use.is_own, use.destinations))
        return all(any(host.matches(each) for host in self.hosts) for each in use.destinations)


@dataclass(frozen=True, slots=True)
class SecretUse:
    """Who would use a secret, and where it would go.

    `user`: the provider or kind of channel. `destinations`: where its calls lead; none where the
    user itself finds its vendor (a region of AWS). `own_hosts`: those that the vendor runs.
    `is_address`: the secret is itself the address, as a webhook's is, so nobody else can lead it
    elsewhere; what it leads to is known once it is read. `loopback_is_own`: such an address may be
    on this machine.
    """

    user: str
    destinations: tuple[Destination, ...] = ()
    own_hosts: tuple[HostPattern, ...] = ()
    is_address: bool = False
    loopback_is_own: bool = False

    def is_own(self, destination: Destination) -> bool:
        """Whether it needs no permission of the secret's owner."""
        if self.is_address and (
            not self.own_hosts or (self.loopback_is_own and is_loopback_name(destination.host))
        ):
            return True
        return any(host.matches(destination) for host in self.own_hosts)


def is_allowed(bounds: Sequence[Bound], use: SecretUse) -> bool:
    """Whether a secret with these bounds may be used so; without any, as the module says."""
    return any(bound.allows(use) for bound in (bounds or (Bound(),)))


def _split(text: str) -> tuple[str, int | None]:
    """Host and port as they are written. Raises ConfigInvalid."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not _is_address(host) or (rest and not rest.startswith(":")):
            raise _no_host(text)
        return host, _port(rest[1:], text) if rest else None
    if text.count(":") > 1:
        return text, None
    host, colon, port = text.partition(":")
    return host, _port(port, text) if colon else None


def _port(text: str, whole: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text) or int(text) > _PORT_AT_MOST:
        raise _no_host(whole)
    return int(text)


def _no_host(text: str) -> ConfigInvalid:
    return ConfigInvalid(
        f"{text[:300]!r} is no host such as api.example.com, *.example.com or 127.0.0.1:9101 "
        "(other scripts as xn--…; no path, no scheme)"
    )


def _canonical(host: str) -> str:
    """One spelling for each host: lower case, no closing dot, addresses at their shortest.

    Raises:
        ConfigInvalid: neither a name in ASCII nor an address.
    """
    if _is_address(host):
        return str(ipaddress.ip_address(host))
    # Before `lower`, which makes an ASCII letter of some others (the Kelvin sign).
    name = host.lower().removesuffix(".") if host.isascii() else ""
    if not _NAME.fullmatch(name) or name.rsplit(".", 1)[-1].isdigit():
        raise ConfigInvalid("neither a name nor an address")
    return name


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _written(host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"
