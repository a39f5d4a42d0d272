"""Who calls, and what they may."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CallerKind(StrEnum):
    """How it is known who calls: the owner of this machine by a token, an AWS principal by its
    signature, a schedule by its due time; `SYSTEM` is Trainbell itself."""

    OWNER = "owner"
    IAM = "iam"
    SCHEDULE = "schedule"
    SYSTEM = "system"


class Right(StrEnum):
    """What may be done: see it; start, cancel and retry jobs; change the settings."""

    SEE = "see"
    OPERATE = "operate"
    CONFIGURE = "configure"


ALL_RIGHTS = frozenset(Right)


@dataclass(frozen=True, slots=True)
class Caller:
    """`id` is what a job's record shows: `owner`, an ARN, `schedule:nightly`."""

    kind: CallerKind
    id: str
    rights: frozenset[Right] = ALL_RIGHTS

    def may(self, right: Right) -> bool:
        return right in self.rights

    @classmethod
    def schedule(cls, name: str) -> Caller:
        """A schedule starts jobs in its owner's stead, and nothing else."""
        return cls(CallerKind.SCHEDULE, f"schedule:{name}", frozenset({Right.SEE, Right.OPERATE}))
