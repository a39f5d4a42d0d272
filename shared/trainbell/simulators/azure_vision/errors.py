"""The service's error body: code, message, target, details, nested innererror, and its header.

The form is documented, and so are `DatasetAlreadyExists` and `DatasetInvalidAnnotationUri`; the
other codes are chosen after them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainbell.simulators.service import Answer


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with a request. `cause` is the code of the innermost error."""

    target: str
    message: str
    cause: str = "InvalidValue"


def refused(status: int, code: str, message: str, target: str | None = None) -> Answer:
    error: dict[str, Any] = {"code": code, "message": message}
    if target is not None:
        error["target"] = target
    return _answer(status, error)


def malformed(flaws: Sequence[Flaw]) -> Answer:
    """400 with all flaws: the first one in full, each of them under `details`."""
    first = flaws[0]
    error = {
        "code": "InvalidRequest",
        "message": first.message,
        "target": first.target,
        "details": [
            {"code": "InvalidRequest", "message": flaw.message, "target": flaw.target}
            for flaw in flaws
        ],
        "innererror": {
            "code": "InvalidParameterValue",
            "message": "A parameter of the request is not valid.",
            "innererror": {"code": first.cause, "message": first.message},
        },
    }
    return _answer(400, error)


def unauthorized() -> Answer:
    return refused(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide "
        "a valid key for an active subscription and use a correct regional API endpoint for your "
        "resource.",
    )


def unknown_path() -> Answer:
    return refused(404, "404", "Resource not found")


def _answer(status: int, error: dict[str, Any]) -> Answer:
    return Answer.json({"error": error}, status, **{"x-ms-error-code": error["code"]})
