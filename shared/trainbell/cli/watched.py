"""The Trainbell that a waiting command looks through: one that runs, or one in this process."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING

from trainbell.cli.connecting import find_trainbell
from trainbell.client import NotReached, Trainbell
from trainbell.embedded.data_dir import DataDirInUse, default_data_dir

if TYPE_CHECKING:
    from trainbell.embedded.instance import EmbeddedInstance


class Watched:
    """The Trainbell that a waiting command looks through, from `with` on.

    Where none is named and none runs, it is one in this process (`here`), for as long as needed:
    nobody watches after it ends, until the next one runs. It makes room for a server that asks.
    """

    client: Trainbell
    here: EmbeddedInstance | None

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._calls = ExitStack()
        self._engine = ExitStack()

    def __enter__(self) -> Watched:
        """Raises NotReached, and what EmbeddedInstance raises."""
        try:
            self._open(may_host=True)
        except DataDirInUse:  # Another began in between; by now it can be found.
            self._open(may_host=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._calls.close()
        self._engine.close()

    def make_room(self) -> bool:
        """End the one in this process if a server asks for its place. Whether it did."""
        if self.here is None or not self.here.is_asked_for:
            return False
        self.here = None
        self._engine.close()
        return True

    def find_again(self, *, may_host: bool) -> None:
        """After silence: another may run here by now, elsewhere than before.

        `may_host`: where none does, it may be one in this process.

        Raises:
            NotReached: none yet; later, perhaps.
        """
        if self._url is not None or self.here is not None:
            return
        before = self._calls
        try:
            self._open(may_host=may_host)
        except DataDirInUse as error:
            raise NotReached(str(error)) from error
        before.close()

    def tell_now(self) -> None:
        """Before this process ends: what has ended is told, and not only at the next start."""
        if self.here is not None:
            from trainbell.use_cases.telling.publish_changes import publish_changes

            publish_changes(self.here.services)

    def _open(self, *, may_host: bool) -> None:
        with ExitStack() as engine:
            here = None
            try:
                client = find_trainbell(self._url)
            except NotReached:
                if self._url is not None or not may_host:
                    raise
                here = engine.enter_context(_in_this_process())
                client = Trainbell(here.url, token=here.token)
            self._calls = ExitStack()
            self.client, self.here = self._calls.enter_context(client), here
            self._engine = engine.pop_all()


def _in_this_process() -> EmbeddedInstance:
    # A list of jobs must not wait for the engine's modules.
    from trainbell.embedded.instance import EmbeddedInstance

    return EmbeddedInstance(default_data_dir(), port=0, steps_aside=True)
