"""What the comparison of polling policies found on one trace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    polls: float
    delay: float

    @property
    def product(self) -> float:
        return self.polls * self.delay


@dataclass(frozen=True)
class Comparison:
    trace: str
    limit: float
    outcomes: dict[str, Outcome]
