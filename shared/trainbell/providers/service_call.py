"""One call to a service and its answer, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from trainbell.errors import ProviderError

MAX_REPLY_BYTES = 10_000_000
Model = TypeVar("Model", bound=BaseModel)
Unreadable = Callable[[str], ProviderError]


class Effect(StrEnum):
    """What a call does there, which decides what a lost answer means.

    READ changes nothing; CHANGE may be repeated without harm (cancel, delete, replace); START
    creates something, so a lost answer is never a reason to send it again.
    """

    READ = "read"
    CHANGE = "change"
    START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`path` is below the base URL, begins with a slash and is quoted already. `json` or
    `content` is the body. `missing_is_job`: a 404 or 410 means that the job is not known.
    `follow_up`: a redirect is an answer of its own, to be read by the caller."""

    operation: str
    path: str
    method: str = "GET"
    query: Mapping[str, str | int] | None = None
    json: Any = None
    content: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] | None = None
    effect: Effect = Effect.READ
    missing_is_job: bool = False
    follow_up: bool = False
    max_bytes: int = MAX_REPLY_BYTES


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer. `headers` are by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    unreadable: Unreadable

    def json(self) -> Any:
        """The body as JSON, whatever content type it claims.

        Raises:
            ProviderReplyInvalid: it is none (for a start: StartOutcomeUnknown). The parser
                refuses more than about 200 levels and anything but UTF-8.
        """
        try:
            return from_json(self.body, allow_inf_nan=False)
        except ValueError as exc:
            raise self.unreadable(f"no readable JSON ({_short(exc)})") from exc

    def model(self, kind: type[Model]) -> Model:
        """The body as this model. Raises as `json` does, naming the first wrong fields."""
        try:
            return kind.model_validate_json(self.body)
        except ValidationError as exc:
            raise self.unreadable(_first_problems(exc)) from exc


def _short(exc: ValueError) -> str:
    return str(exc).split("\n", 1)[0][:200]


def _first_problems(exc: ValidationError) -> str:
    # Never pydantic's own text: it quotes the input.
    problems = exc.errors(include_url=False, include_context=False, include_input=False)[:3]
    if problems and problems[0]["type"] == "json_invalid":
        return "no readable JSON"
    named = ("{}: {}".format(".".join(map(str, p["loc"])) or "body", p["msg"]) for p in problems)
    return "; ".join(named)
