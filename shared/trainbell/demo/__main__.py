"""Runs the demo: `python -m trainbell.demo`."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from trainbell.cli.exit_codes import ExitCode
from trainbell.cli.output import console
from trainbell.client import Trainbell
from trainbell.demo.scene import JOBS, LOCAL_JOBS, Scene, open_scene
from trainbell.demo.screen import show_live, show_results
from trainbell.demo.services import SERVICES

ENDING = (signal.SIGINT, signal.SIGTERM)
EXPECTED = {"succeeded": JOBS - 1, "failed": 1}


def main() -> int:
    """Exit status 0 when everything ended as it should and everybody was told."""
    examples = Path.cwd() / "examples"
    if not (examples / "digits.py").exists():
        console.print("run the demo from the project's own folder: it trains examples/digits.py")
        return ExitCode.BAD_INPUT
    interrupts = Interrupts()
    try:
        with ExitStack() as stack:
            folder = TemporaryDirectory(prefix="trainbell-demo-", ignore_cleanup_errors=True)
            scene = open_scene(stack, Path(stack.enter_context(folder)))
            stack.callback(interrupts.ignore)  # What is left to do is short, and must be done.
            interrupts.let_in()
            return _play(scene, examples)
    except KeyboardInterrupt:
        console.print("\nStopped; nothing is left running.")
        return ExitCode.DETACHED


def _play(scene: Scene, examples: Path) -> int:
    client: Trainbell = scene.client
    console.print(f"Trainbell runs at {client.url}, its data in {scene.folder}.", style="dim")
    console.print(
        f"{LOCAL_JOBS} real trainings on this machine: one by a schedule, one fails by itself.\n"
        f"And a job at each of {len(SERVICES)} services, which are simulated here.\n",
        style="dim",
    )
    scene.start_everything(examples)
    jobs = show_live(scene)
    messages = scene.wait_for_messages(len(jobs))
    show_results(jobs, messages)
    states = [job["state"] for job in jobs]
    good = all(states.count(state) == count for state, count in EXPECTED.items())
    if not good or len(messages) != len(jobs):
        console.print("This is not how the demo should end.", style="red")
        return ExitCode.INTERNAL
    return ExitCode.SUCCEEDED


class Interrupts:
    """Whoever ends the demo, by SIGINT or SIGTERM, what it started is stopped.

    A signal waits until everything stands; a second one does not cut the stopping short.
    """

    def __init__(self) -> None:
        self._asked = False
        self._let_in = False
        for number in ENDING:
            signal.signal(number, self._take)

    def let_in(self) -> None:
        """From now on a signal raises KeyboardInterrupt; so does one that came before."""
        self._let_in = True
        if self._asked:
            self._interrupt()

    def ignore(self) -> None:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)

    def _take(self, *_: object) -> None:
        self._asked = True
        if self._let_in:
            self._interrupt()

    def _interrupt(self) -> None:
        self.ignore()
        raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
