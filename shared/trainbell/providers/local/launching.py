"""Handing an order to a fresh supervisor, and reading its one line of answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

SUPERVISOR = Path(__file__).with_name("supervisor")
BEGIN = (
    "import sys; sys.path.append(sys.argv[1].rpartition('/')[0]); "
    "from supervisor.main import main; main()"
)
"""The package alone, without Trainbell around it: nothing of it is imported."""

MAX_ANSWER_CHARACTERS = 2000


class Outcome(StrEnum):
    """What became of an order."""

    LAUNCHED = "launched"
    TAKEN = "taken"
    REJECTED = "rejected"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class SupervisorAnswer:
    outcome: Outcome
    message: str


def hand_over(
    order: Mapping[str, Any], *, environment: Mapping[str, str], timeout_seconds: float
) -> SupervisorAnswer:
    """Start a supervisor and wait for its answer, which comes before the command has done much.

    The supervisor is in a session of its own, reads no Python settings (`-I -S`) and goes on as
    an orphan: it is nobody's child to wait for, and no terminal's to hang up on.

    Raises:
        OSError: no process could be started; nothing runs.
    """
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
        [sys.executable, "-I", "-S", "-c", BEGIN, str(SUPERVISOR)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=dict(environment),
        start_new_session=True,
        text=True,
        errors="replace",
    )
    with process:
        try:
            said, _ = process.communicate(json.dumps(order), timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            # What is still our child has not forked the supervisor yet: then nothing will run.
            process.kill()
            said = ""
    return _read(said)


def _read(said: str) -> SupervisorAnswer:
    try:
        answer = json.loads(said)
        return SupervisorAnswer(
            Outcome(answer["outcome"]), str(answer["message"])[:MAX_ANSWER_CHARACTERS]
        )
    except (ValueError, KeyError, TypeError):
        last_words = said.strip()[-MAX_ANSWER_CHARACTERS:] or "no answer"
        return SupervisorAnswer(
            Outcome.UNCLEAR, f"the supervisor gave no readable answer: {last_words}"
        )
