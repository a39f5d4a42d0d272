"""An order's parameters and a job's handle, read by a provider: what is wrong is named, typed."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from trainbell.errors import ProviderJobMissing, ProviderRejected
from trainbell.ports import Handle, StartOrder

MARKER_START = "[trainbell:"


class Parameters(BaseModel):
    """What a job, or a part of it, may be asked for: nothing else, and nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


Given = TypeVar("Given", bound=BaseModel)


def parameters_of(
    order: StartOrder, kind: type[Given], *, provider: str, operation: str, what: str = "a training"
) -> Given:
    """The order's parameters as this model. Raises ProviderRejected, naming all wrong places."""
    try:
        return kind.model_validate(dict(order.parameters))
    except ValidationError as exc:
        raise ProviderRejected(
            f"the parameters are not those of {what}: {wrong_places(exc)}",
            provider=provider,
            operation=operation,
        ) from exc


def wrong_places(exc: ValidationError) -> str:
    """Each place once, and never pydantic's own text, which quotes the input. What concerns the
    whole is said in the model's own words."""
    problems = exc.errors(include_url=False, include_input=False)
    return ", ".join(sorted({".".join(map(str, p["loc"])) or p["msg"] for p in problems}))


def name_in(handle: Handle, key: str, *, what: str, provider: str, operation: str) -> str:
    """What a job is named by, fit for a URL's path once it is quoted.

    Raises ProviderJobMissing where the handle holds no such name.
    """
    name = handle.get(key)
    if not isinstance(name, str) or name in ("", ".", ".."):
        raise ProviderJobMissing(
            f"the handle holds no {what}", provider=provider, operation=operation
        )
    return name


def marker(job_id: str) -> str:
    """What a start leaves in a text at the service, to be found by when its answer is lost."""
    return f"{MARKER_START}{job_id}]"


def without_marker(text: str) -> str:
    """The text; a validator's ValueError where a caller has put a marker into it."""
    if MARKER_START in text:
        raise ValueError(f"must not hold {MARKER_START!r}, which marks Trainbell's own starts")
    return text
