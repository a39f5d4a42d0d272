"""How long jobs like this one took: the knowledge behind the polling policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DurationHistory:
    """Counts of ended jobs by duration bin, from the most alike to the least.

    `by_likeness`: one mapping (bin number → jobs) for each of `history_keys(job)`, in that order.
    """

    by_likeness: tuple[Mapping[int, int], ...] = field(default=())
