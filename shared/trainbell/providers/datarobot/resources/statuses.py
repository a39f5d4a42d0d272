"""`/status/`: what has become of work that was accepted with a 202."""

from __future__ import annotations

from trainbell.providers.datarobot.listing import ListCall, Listing
from trainbell.providers.datarobot.locations import status_id
from trainbell.providers.datarobot.vendor_models import AsyncStatus
from trainbell.providers.http import ServiceHttp, path_segment
from trainbell.providers.service_call import Call, Effect, Reply

PATH = "/status/"
ACCEPTED = 202
DONE = 303
MOVED = 307


class Statuses:
    def __init__(self, http: ServiceHttp) -> None:
        self._http = http

    def get(self, status: str) -> AsyncStatus:
        """A 303 is COMPLETED, with the place of what was made. Raises ProviderJobMissing: records
        may go away once the work has ended."""
        reply = self._read(status)
        if reply.status == MOVED:
            moved = status_id(reply.headers.get("location"))
            if moved is None:
                raise reply.unreadable("a 307 that leads to no status")
            reply = self._read(moved)
        if reply.status == DONE:
            return AsyncStatus(
                status_id=status, status="COMPLETED", location=reply.headers.get("location")
            )
        if reply.status >= 300:  # noqa: PLR2004
            raise reply.unreadable("a redirect that is not documented")
        return reply.model(AsyncStatus)

    def list(self) -> Listing[AsyncStatus]:
        return self.listing().all(self._http)

    def listing(self) -> ListCall[AsyncStatus]:
        return ListCall("list statuses", PATH, AsyncStatus, identity="status_id")

    def forget(self, status: str) -> None:
        """Drop the record; the work itself goes on."""
        call = Call(
            operation="drop a status",
            method="DELETE",
            path=f"{PATH}{path_segment(status)}/",
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self._http.send(call)

    def accepted(self, call: Call) -> str:
        """Send a call that starts work. Returns the id of its status, from the Location."""
        reply = self._http.send(call)
        found = status_id(reply.headers.get("location"))
        if reply.status != ACCEPTED or found is None:
            raise reply.unreadable("it is no 202 with the Location of a status")
        return found

    def _read(self, status: str) -> Reply:
        call = Call(
            operation="get a status",
            path=f"{PATH}{path_segment(status)}/",
            missing_is_job=True,
            follow_up=True,
        )
        return self._http.send(call)


def start_call(operation: str, method: str, path: str, body: object = None) -> Call:
    """A call that starts work with each time it is sent, whatever its method."""
    return Call(operation=operation, method=method, path=path, json=body, effect=Effect.START)
