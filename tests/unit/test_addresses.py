"""Where a call with a secret may go, judged by the address that is connected to."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace

import httpcore
import httpx
import pytest

from trainbell.domain.addresses import CLOUD, EMBEDDED, Address, Reach
from trainbell.extensions.bounded_http import REACH, BoundedTransport
from trainbell.ports.call_scope import CallScope, within

NEVER = [
    "169.254.169.254",  # metadata of AWS, Azure, Google
    "169.254.170.2",  # credentials of an ECS task
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "168.63.129.16",
    "fe80::1",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "::ffff:169.254.169.254",  # mapped
    "::169.254.169.254",  # compatible
    "::ffff:0:169.254.169.254",  # translated
    "64:ff9b::169.254.169.254",  # NAT64
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",  # 6to4
]
LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
PRIVATE = [
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "fd12::1",
    "::ffff:10.1.2.3",
    "64:ff9b::a01:203",
    "2002:a01:203::1",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]


def is_refused(reach: Reach, address: str) -> bool:
    return reach.refusal(ipaddress.ip_address(address)) is not None


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_nobodys(address: str) -> None:
    everything = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
    assert is_refused(EMBEDDED, address)
    assert is_refused(replace(CLOUD, networks=everything), address)


@pytest.mark.parametrize("address", [*LOOPBACK, *PRIVATE])
def test_inner_addresses_are_for_one_machine_and_for_deployments_that_name_them(
    address: str,
) -> None:
    assert not is_refused(EMBEDDED, address)
    assert is_refused(CLOUD, address)


def test_a_deployment_names_its_networks() -> None:
    reach = replace(CLOUD, networks=(ipaddress.ip_network("10.1.0.0/16"),))
    assert not is_refused(reach, "10.1.2.3")
    assert not is_refused(reach, "::ffff:10.1.2.3")
    assert is_refused(reach, "10.2.2.3")
    assert is_refused(reach, "127.0.0.1")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_for_all(address: str) -> None:
    assert not is_refused(EMBEDDED, address)
    assert not is_refused(CLOUD, address)


# ---------------------------------------------------------------- at the connection


class Wire(httpcore.MockBackend):
    """Notes where it is connected to; `down` answer nobody."""

    def __init__(self, *down: str) -> None:
        super().__init__([b"HTTP/1.1 204 No Content\r\n\r\n"])
        self.down = down
        self.tried: list[str] = []

    def connect_tcp(self, host: str, *args: object, **named: object) -> httpcore.NetworkStream:
        self.tried.append(host)
        if host in self.down:
            raise httpcore.ConnectError("refused")
        return super().connect_tcp(host, *args, **named)  # type: ignore[arg-type]


def call(url: str, wire: Wire, addresses: Sequence[str], reach: Reach | None = None) -> int:
    def resolve(host: str, port: int, _: float | None) -> Sequence[Address]:
        assert (host, port) == ("service.example", 443 if url.startswith("https") else 80)
        return [ipaddress.ip_address(each) for each in addresses]

    transport = BoundedTransport(backend=wire, resolve=resolve)
    extensions = {} if reach is None else {REACH: reach}
    with transport:
        return transport.handle_request(
            httpx.Request("GET", url, extensions=extensions)
        ).status_code


def test_the_address_that_was_judged_is_connected_to() -> None:
    """Not the name again, which might lead elsewhere by then."""
    wire = Wire()
    assert call("https://service.example/", wire, ["93.184.216.34"]) == 204
    assert wire.tried == ["93.184.216.34"]


def test_a_name_that_leads_inside_is_not_called_from_the_cloud() -> None:
    wire = Wire()
    with pytest.raises(httpx.ConnectError, match="private network"):
        call("https://service.example/", wire, ["10.0.0.1"], CLOUD)
    with pytest.raises(httpx.ConnectError, match="no service lives at"):
        call("https://service.example/", wire, ["169.254.169.254"])
    assert wire.tried == []


def test_of_several_addresses_the_first_that_may_and_answers() -> None:
    wire = Wire("93.184.216.34")
    addresses = ["169.254.169.254", "10.0.0.1", "93.184.216.34", "93.184.216.35"]
    assert call("https://service.example/", wire, addresses, CLOUD) == 204
    assert wire.tried == ["93.184.216.34", "93.184.216.35"]


def test_without_encryption_only_this_machine() -> None:
    wire = Wire()
    for address in ("93.184.216.34", "10.0.0.1"):
        with pytest.raises(httpx.ConnectError, match="unencrypted"):
            call("http://service.example/", wire, [address])
    assert call("http://service.example/", wire, ["127.0.0.1"]) == 204
    assert wire.tried == ["127.0.0.1"]


def test_the_scope_of_an_operation_says_how_far_its_calls_may_go() -> None:
    wire = Wire()
    scope = CallScope(lambda: None, lambda: 60.0, CLOUD)
    with pytest.raises(httpx.ConnectError, match="private network"):
        within(scope, lambda: call("https://service.example/", wire, ["10.0.0.1"]))
    assert call("https://service.example/", wire, ["10.0.0.1"]) == 204


def test_a_name_without_an_address() -> None:
    with pytest.raises(httpx.ConnectError, match="has no address"):
        call("https://service.example/", Wire(), [])
