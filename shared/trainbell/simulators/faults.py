"""Faults that a test asks a simulator for: what goes wrong, for which requests, how often."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from trainbell.simulators.settings import Header


class FaultKind(StrEnum):
    """BEFORE: the work is not done. AFTER: it is done, and the answer suffers."""

    LATENCY = "latency"
    THROTTLED = "throttled"
    ERROR = "error"
    DROPPED_BEFORE = "dropped_before"
    LOST_ANSWER = "lost_answer"
    DROPPED_AFTER = "dropped_after"
    HALF_BODY = "half_body"
    HALF_JSON = "half_json"
    HTML = "html"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NOT_UTF8 = "not_utf8"
    ECHO = "echo"


def _pattern(path: str) -> str:
    try:
        re.compile(path)
    except re.error as exc:
        raise ValueError(f"it is no regular expression: {exc}") from None
    return path


BEFORE = frozenset({FaultKind.THROTTLED, FaultKind.ERROR, FaultKind.DROPPED_BEFORE, FaultKind.ECHO})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Happens to the next `times` requests (None: to all) with this method and a path that
    matches. `seconds`: the delay of LATENCY. `status`: of ERROR, LOST_ANSWER and ECHO.
    `retry_after`: sent as it is. ECHO repeats the request's headers in an error, as debug pages do.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    kind: FaultKind
    method: str | None = None
    path: Annotated[str, AfterValidator(_pattern)] = ""
    times: Annotated[int, Field(ge=1)] | None = 1
    seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 0.0
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    retry_after: Header | None = None

    def matches(self, method: str, path: str) -> bool:
        return self.method in (None, method) and re.search(self.path, path) is not None


class FaultScript:
    """The faults that are still to come, in order. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[tuple[Fault, int | None]] = []

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._waiting.extend((fault, fault.times) for fault in faults)

    def replace(self, faults: Iterable[Fault] = ()) -> None:
        with self._lock:
            self._waiting = [(fault, fault.times) for fault in faults]

    def __len__(self) -> int:
        """How many are still to come; one that happens several times counts once."""
        return len(self._waiting)

    def take(self, method: str, path: str) -> Fault | None:
        """The first that matches this request, and one time less of it."""
        if not self._waiting:
            return None
        with self._lock:
            for index, (fault, times) in enumerate(self._waiting):
                if not fault.matches(method, path):
                    continue
                if times is not None:
                    rest = [(fault, times - 1)] if times > 1 else []
                    self._waiting[index : index + 1] = rest
                return fault
        return None
