"""One embedded Trainbell in this process: its data directory, its services, its loop, its server.

with EmbeddedInstance(Path("data"), port=0) as instance:
    print(instance.url, instance.token)
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from trainbell.api.asgi_app import asgi_app_for
from trainbell.api.identity import OwnerIdentity
from trainbell.bootstrap.embedded import embedded_services
from trainbell.embedded.data_dir import open_data_dir
from trainbell.embedded.heaps import share_heaps
from trainbell.embedded.loop import Loop, LoopWatchers
from trainbell.embedded.run_watch import RunWatch
from trainbell.embedded.schedule_clock import EmbeddedScheduler
from trainbell.embedded.server import DEFAULT_HOST, DEFAULT_PORT, Listener, LocalServer
from trainbell.providers.local.refusals import NAME as LOCAL
from trainbell.use_cases.ground.services import Services


class EmbeddedInstance:
    """Runs while the `with` block does. `url`, `token` and `services` are set inside it.

    `ended` is set when the server ends by itself, which it never should.
    """

    url: str
    token: str
    services: Services
    ended: threading.Event

    def __init__(
        self,
        data_dir: Path,
        port: int = DEFAULT_PORT,
        *,
        host: str = DEFAULT_HOST,
        allow_remote: bool = False,
        steps_aside: bool = False,
    ) -> None:
        """One that `steps_aside` is to end soon after `is_asked_for`: a server wants its place."""
        self._data_dir = data_dir
        self._steps_aside = steps_aside
        self._port = port
        self._host = host
        self._allow_remote = allow_remote
        self._stack = ExitStack()

    def __enter__(self) -> EmbeddedInstance:
        """Begin in an order in which nothing runs before everything it needs is there.

        1. Hold the data directory and the port: what can be refused is refused first.
        2. Open the store; resume the loop.
        3. Answer, and only then say where.

        Raises:
            ConfigInvalid: the directory or the port cannot be used (DataDirInUse, PortInUse).
            StoreError: the store cannot be used.
        """
        with ExitStack() as stack:
            data_dir = stack.enter_context(
                open_data_dir(self._data_dir, steps_aside=self._steps_aside)
            )
            listener = Listener(self._host, self._port, allow_remote=self._allow_remote)
            stack.callback(listener.close)
            share_heaps()
            watchers = LoopWatchers()
            scheduler = EmbeddedScheduler(watchers.woken.set)
            services = embedded_services(data_dir.path, watchers, scheduler, page_url=listener.url)
            stack.callback(_close, services)
            loop = Loop(services, watchers)
            loop.start()
            stack.callback(loop.stop)
            runs = RunWatch(data_dir.path / LOCAL, loop.look_early)
            runs.start()
            stack.callback(runs.stop)
            identity = OwnerIdentity(data_dir.token, listener.host_names)
            server = LocalServer(asgi_app_for(services, identity), listener)
            server.start()
            stack.callback(server.stop)
            data_dir.announce(listener.url)
            stack.callback(data_dir.withdraw)
            self.url, self.token, self.services = listener.url, data_dir.token, services
            self.ended = server.ended
            self._held = data_dir
            self._stack = stack.pop_all()
        return self

    @property
    def is_asked_for(self) -> bool:
        """Whether a server asks for the place of one that steps aside."""
        return self._held.is_asked_for

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The same steps backwards: take no more requests, stop the loop, close the store."""
        self._stack.close()


def _close(services: Services) -> None:
    services.providers.close()
    services.channels.close()
    services.store.close()
