"""What may be set at a simulator, checked when it is set: a mistake is an answer of the control
call, and never a crash of whatever call comes next."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

TEN_YEARS = 10 * 366 * 86_400.0

Seconds = Annotated[float, Field(ge=0, le=TEN_YEARS, allow_inf_nan=False)]
AnySeconds = Annotated[float, Field(ge=-TEN_YEARS, le=TEN_YEARS, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Header = Annotated[str, Field(max_length=1000, pattern=r"^[\x20-\x7e]*$")]
"""The value of a header, sent as it is: `Retry-After` may be a date, so it is a text."""

Read = TypeVar("Read")


class Settings(BaseModel):
    """Base of each simulator's own. Dataclasses in it forbid unknown names, too."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ClockSettings(Settings):
    """`speed` 0 stands still. `advance` moves it, `skew_seconds` is how wrong it is shown."""

    advance: AnySeconds = 0.0
    speed: Annotated[float, Field(ge=0, le=1e6)] | None = None
    skew_seconds: AnySeconds | None = None


def read(kind: type[Read], given: Any) -> Read:
    """Raises ValueError with all that is wrong: `plan.running_seconds: …; plans.0.error: …`."""
    try:
        return TypeAdapter(kind).validate_json(json.dumps(given))
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise ValueError("; ".join(problems)) from None
    except RecursionError:
        raise ValueError("body: it is nested too deeply") from None
