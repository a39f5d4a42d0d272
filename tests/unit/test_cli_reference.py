"""docs/cli.md says what the commands say."""

from __future__ import annotations

from pathlib import Path

from trainbell.cli.exit_codes import MEANINGS, OF_STATE, ExitCode
from trainbell.cli.reference import reference
from trainbell.domain.job import State

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_current() -> None:
    renew = "renew it: python -m trainbell.cli.reference > docs/cli.md"
    assert PAGE.read_text() == reference(), renew


def test_every_end_and_every_status_is_explained() -> None:
    assert {State(name) for name in OF_STATE} == {state for state in State if state.is_end}
    assert len(set(OF_STATE.values())) == len(OF_STATE)
    assert set(MEANINGS) == set(ExitCode)
