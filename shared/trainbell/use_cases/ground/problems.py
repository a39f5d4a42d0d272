"""pydantic's findings as problems: a dotted path and what to do."""

from __future__ import annotations

from pydantic import ValidationError

from trainbell.errors import Problem

_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not known here; leave it out",
}


def problems_of(error: ValidationError, prefix: str = "") -> list[Problem]:
    """All of them, in the order of the input's fields. No input value is repeated."""
    found = []
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        steps = [str(step) for step in each["loc"]]
        path = ".".join([prefix, *steps] if prefix else steps)
        found.append(Problem(path or "body", _WORDS.get(each["type"], each["msg"])))
    return found
