"""Runs the demo: `python -m trainbell.demo`."""

from __future__ import annotations

import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from trainbell.cli.exit_codes import ExitCode
from trainbell.cli.output import console
from trainbell.client import Trainbell
from trainbell.demo.scene import Scene, open_scene
from trainbell.demo.screen import show_live, show_results

EXPECTED = {"succeeded": 3, "failed": 1}


def main() -> int:
    """Exit status 0 when everything ended as it should and everybody was told."""
    examples = Path.cwd() / "examples"
    if not (examples / "digits.py").exists():
        console.print("run the demo from the project's own folder: it trains examples/digits.py")
        return ExitCode.BAD_INPUT
    # Whoever ends the demo, what it started is stopped.
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        with ExitStack() as stack:
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="trainbell-demo-"))
            )
            scene = open_scene(stack, folder)
            return _play(scene, examples)
    except KeyboardInterrupt:
        console.print("\nStopped; nothing is left running.")
        return ExitCode.DETACHED


def _play(scene: Scene, examples: Path) -> int:
    client: Trainbell = scene.client
    console.print(f"Trainbell runs at {client.url}, its data in {scene.folder}.", style="dim")
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


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
