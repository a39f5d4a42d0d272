"""Three services that do their worst with 66 jobs each, and runs whose progress file is a FIFO: a
local job and the API notice nothing.

Where only bodies had a deadline, a local job was still `requested` after 75 s, and 67 FIFOs stopped
all watching. The bounds here are twice what is measured as good (2 s and 0.5 s, held by
`benchmarks/hostile.py`), for machines that are busy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.e2e.hostile_scene import SERVICES, measure

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

LOCAL_SECONDS = 4.0
HEALTH_SECONDS = 1.0


def test_hostile_services_hold_up_neither_a_local_job_nor_the_api(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    measured = measure(tmp_path, local_jobs=5, fifo_runs=8)
    for name, value in asdict(measured).items():
        record_property(name, value)
    assert measured.hostile_requests >= SERVICES * 8
    assert measured.start_seconds < LOCAL_SECONDS
    assert measured.end_seconds < LOCAL_SECONDS
    assert measured.health_p99_seconds < HEALTH_SECONDS
