"""What goes between the state machine and the functions that it calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trainbell.domain.job import Job
from trainbell.errors import InputInvalid, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTurn:
    """One turn of a watcher: which job, which watcher of it, and how many loops it has made."""

    job_id: str
    watch: int
    loops: int = 0

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> WatchTurn:
        """Raises InputInvalid for an input that no state machine of ours gives."""
        given = {name: event.get(name) for name in ("job_id", "watch", "loops")}
        wanted = {"job_id": str, "watch": int, "loops": int}
        problems = [
            Problem(name, f"must be of type {wanted[name].__name__}")
            for name, value in given.items()
            if type(value) is not wanted[name]
        ]
        if problems:
            raise InputInvalid(problems)
        return cls(job_id=event["job_id"], watch=event["watch"], loops=event["loops"])

    @property
    def execution_name(self) -> str:
        """At most 80 characters, as the state machine's HandOver makes it too."""
        return f"{self.job_id}-{self.watch}"

    def next(self) -> WatchTurn:
        return replace(self, loops=self.loops + 1)

    def as_input(self) -> dict[str, Any]:
        return {"job_id": self.job_id, "watch": self.watch, "loops": self.loops}

    def outcome(
        self,
        job: Job,
        wait_seconds: int | None,
        *,
        superseded: bool = False,
        hand_over: bool = False,
    ) -> dict[str, Any]:
        """What WhatNext decides on. After a hand-over `watch` is the next watcher's number."""
        return {
            **self.as_input(),
            "watch": job.watch.number if hand_over else self.watch,
            "wait_seconds": wait_seconds or 1,
            "ended": job.is_ended,
            "superseded": superseded,
            "hand_over": hand_over,
        }
