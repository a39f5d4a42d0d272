"""`trainbell up`: one embedded Trainbell in the foreground, until a signal ends it."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from trainbell.embedded.instance import EmbeddedInstance
from trainbell.embedded.log_lines import OncePerCondition
from trainbell.embedded.server import DEFAULT_HOST, DEFAULT_PORT
from trainbell.errors import StoreError, StoreUnavailable, TrainbellError
from trainbell.plain_text import harmless

EXIT_ENDED = 0
EXIT_SERVER_FAILED = 1
EXIT_NOT_USABLE = 2
EXIT_STORE = 7

_CHECK_SECONDS = 1.0


def run_up(
    data_dir: Path,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    allow_remote: bool = False,
) -> int:
    """Run until SIGTERM or Ctrl-C, then end cleanly. Returns the exit status.

    0: ended by a signal. 1: the server failed. 2: the directory or port cannot be used. 7: the
    store cannot be used. Whatever prevents it is said in one line on stderr.
    """
    to_terminal = logging.StreamHandler()
    to_terminal.addFilter(OncePerCondition())
    to_terminal.setFormatter(HarmlessFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[to_terminal])
    with _end_signals() as ending:
        try:
            with ExitStack() as stack:
                instance = begin(
                    stack,
                    lambda: EmbeddedInstance(data_dir, port, host=host, allow_remote=allow_remote),
                    ending,
                )
                if instance is None:
                    return EXIT_ENDED
                _say(f"Trainbell is up at {instance.url} with its data in {data_dir}")
                while not ending.wait(_CHECK_SECONDS):
                    if instance.ended.is_set():
                        return EXIT_SERVER_FAILED
                _say("ending; jobs go on and are resumed at the next `trainbell up`")
        except StoreError as error:
            _say(f"trainbell: {error}")
            return EXIT_STORE
        except TrainbellError as error:
            _say(f"trainbell: {error}")
            return EXIT_NOT_USABLE
    return EXIT_ENDED


def begin(
    stack: ExitStack, make: Callable[[], EmbeddedInstance], ending: threading.Event
) -> EmbeddedInstance | None:
    """Enter an instance. While somebody else has the database locked, say so once and try again.

    None where a signal came first. Raises what the instance raises.
    """
    has_said = False
    while True:
        try:
            return stack.enter_context(make())
        except StoreUnavailable as error:
            if not error.is_locked:
                raise
            if not has_said:
                _say(f"trainbell: {error}; waiting for it")
                has_said = True
        if ending.wait(_CHECK_SECONDS):
            return None


class HarmlessFormatter(logging.Formatter):
    """What services and channels say is logged, and read in a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return harmless(super().format(record))


@contextmanager
def _end_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set. A second signal does what it does by default."""
    ending = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def end(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        ending.set()

    for number in before:
        signal.signal(number, end)
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    sys.stderr.write(harmless(line) + "\n")
    sys.stderr.flush()
