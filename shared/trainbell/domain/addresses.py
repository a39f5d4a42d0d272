"""Which addresses a call with a secret may go to: rules only, no network.

| address                                        | embedded | cloud                          |
|------------------------------------------------|----------|--------------------------------|
| of a metadata service, link-local, multicast …| never    | never                          |
| of this machine (loopback)                     | yes      | where the deployment names it  |
| of a private network, or otherwise not public  | yes      | where the deployment names it  |
| public                                         | yes      | yes                            |

An IPv6 address that stands for an IPv4 one (mapped, NAT64, 6to4 …) is judged as that one.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        # AWS over IPv6, Google over IPv6, Alibaba Cloud, Azure; the others are link-local.
        ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16"),
    )
)
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
# RFC 6052 and 8215 (NAT64), RFC 4291 (compatible), RFC 2765 (translated): the last 32 bits.
_IPV4_AT_THE_END = tuple(
    map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96"))
)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far calls may go. `networks`: those that are named, whatever else is not allowed."""

    loopback: bool
    private: bool
    networks: tuple[Network, ...] = ()

    def refusal(self, address: Address) -> str | None:
        """Why a call may not go to this address; None where it may."""
        plain = as_ipv4(address)
        if is_never(plain):
            return f"no service lives at {plain}"
        named = any(plain in network for network in self.networks)
        if plain.is_loopback:
            return None if self.loopback or named else f"{plain} is the function's own machine"
        if plain.is_global or self.private or named:
            return None
        return f"{plain} is in a private network that this deployment does not name"


EMBEDDED = Reach(loopback=True, private=True)
CLOUD = Reach(loopback=False, private=False)


def as_ipv4(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.is_loopback or address.is_unspecified:
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    if inner is None and any(address in network for network in _IPV4_AT_THE_END):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return inner or address


def is_never(address: Address) -> bool:
    """Whether nobody may be called there, whatever the deployment says."""
    plain = as_ipv4(address)
    return (
        plain in _METADATA
        or plain.is_link_local
        or plain.is_multicast
        or plain.is_unspecified
        or (isinstance(plain, ipaddress.IPv4Address) and plain in _THIS_NETWORK)
        or (isinstance(plain, ipaddress.IPv4Address) and plain.is_reserved)
    )


def is_loopback_name(host: str) -> bool:
    """Whether a host, as a URL names it, is this machine and nothing else."""
    try:
        return as_ipv4(ipaddress.ip_address(host.strip("[]"))).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
