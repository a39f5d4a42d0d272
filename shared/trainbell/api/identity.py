"""Who calls. Every request passes here, and nowhere else; other kinds of sign-in come here too."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection
from typing import Protocol
from urllib.parse import urlsplit

from trainbell.api.calls import Request
from trainbell.api.refusals import CallerRefused, CallerUnknown, Misdirected
from trainbell.domain.access import Caller, CallerKind


class Identity(Protocol):
    scheme: str
    """How a caller proves who it is: `bearer` or `iam`."""

    def identify(self, request: Request) -> Caller:
        """Who calls. Quick, and without waiting for anybody: a server asks it on its own thread
        before it reads a body, and the app once more.

        Raises:
            CallerUnknown: nothing proves it.
            CallerRefused, Misdirected: the request must not be answered, whoever sends it.
        """
        ...


class IamIdentity:
    """The cloud: API Gateway has checked an IAM signature. A route that was left open by mistake
    carries no such proof, and is refused here."""

    scheme = "iam"

    def identify(self, request: Request) -> Caller:
        arn = request.iam.get("userArn") if request.iam else None
        if not isinstance(arn, str) or not arn:
            raise CallerUnknown("sign the request with an IAM identity")
        return Caller(CallerKind.IAM, arn)


class OwnerIdentity:
    """One machine: the owner's token proves the owner.

    A web page can send requests to this machine's ports, by a name that it lets point here (DNS
    rebinding). So the host must be a loopback address or one of `host_names`, and the page that
    sends a request must be of that very host.
    """

    scheme = "bearer"

    def __init__(self, token: str, host_names: Collection[str] = ()) -> None:
        if not token:
            raise ValueError("an empty token would let everybody in")
        self._token = token.encode()
        self._host_names = frozenset(name.lower() for name in host_names) | {"localhost"}

    def identify(self, request: Request) -> Caller:
        host = request.headers.get("host", "")
        if not self._is_own(host):
            raise Misdirected("address this server as 127.0.0.1, localhost or by its own name")
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() not in _origins_of(host.lower()):
            raise CallerRefused("a page of another site may not call this server")
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        given = token.strip().encode(errors="replace")
        if kind.lower() != "bearer" or not hmac.compare_digest(given, self._token):
            raise CallerUnknown(
                "send the owner's token as `Authorization: Bearer …`; "
                "it is in the file owner-token of the data directory"
            )
        return Caller(CallerKind.OWNER, "owner")

    def _is_own(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, _ = parts.hostname, parts.port
        except ValueError:
            return False
        if name is None or parts.netloc != host or "@" in host:
            return False
        try:
            return ipaddress.ip_address(name).is_loopback or name in self._host_names
        except ValueError:
            return name in self._host_names


def _origins_of(host: str) -> tuple[str, str]:
    return f"http://{host}", f"https://{host}"
