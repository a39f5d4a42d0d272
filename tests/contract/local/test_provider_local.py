"""What every provider keeps, with real processes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.local.machine import (
    Machine,
    until,
)
from trainbell.conformance import ProviderConformance, Subject
from trainbell.ports import StartOrder
from trainbell.providers.local import PROVIDER
from trainbell.providers.local.launching import SUPERVISOR
from trainbell.providers.local.status_map import STATUS_MAP, Status

LOOKS_AT_PROGRESS = 20


class TestConformance(ProviderConformance):
    spec = PROVIDER

    @pytest.fixture
    def subject(self, machine: Machine) -> Subject:
        script = """
            echo "$TRAINBELL_JOB_ID" >> starts
            echo '{"progress": 0.4}' >> "$TRAINBELL_PROGRESS_FILE"
            until [ -e go ]; do sleep 0.02; done
        """
        starts = machine.data_dir / "starts"

        def order(job_id: str) -> StartOrder:
            return replace(machine.shell(script), job_id=job_id)

        def count(job_id: str) -> int:
            if machine.provider.find(order(job_id)) is None:
                assert not starts.exists()
                return 0
            until(lambda: starts.exists() and job_id in starts.read_text())
            return starts.read_text().splitlines().count(job_id)

        def finish(handle: Mapping[str, Any]) -> None:
            (machine.data_dir / "go").touch()
            machine.end_of(handle)

        def get_on() -> None:
            """Once its progress is there it is seen for a while, and then the command ends."""
            time.sleep(0.02)
            if any(machine.root.glob("*/progress.jsonl")) and starts.exists():
                looks.append(1)
            if len(looks) == LOOKS_AT_PROGRESS:
                (machine.data_dir / "go").touch()

        looks: list[int] = []
        return Subject(
            spec=PROVIDER,
            provider=machine.provider,
            order=order,
            bad_order=lambda job_id: replace(machine.order("no-such-program"), job_id=job_id),
            starts=count,
            finish=finish,
            unknown_handle={"job_id": "unknown"},
            status_map={status.value: state for status, (state, _) in STATUS_MAP.items()},
            documented_statuses=frozenset(status.value for status in Status),
            package="trainbell.providers.local",
            get_on=get_on,
        )

    def test_clients_never_sleep_or_loop_in_time(self, subject: Subject) -> None:
        """The supervisor is no client: it is a process of its own, whose work is to wait."""
        for module in SUPERVISOR.parent.glob("*.py"):
            assert module == SUPERVISOR or "sleep" not in module.read_text(encoding="utf-8")
