"""Reads bodies and queries within bounds. What cannot be read is refused with every problem."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, TypeVar, get_origin

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from trainbell.api.refusals import BodyTooLarge, MediaTypeUnsupported, RequestMalformed
from trainbell.errors import InputInvalid, Problem
from trainbell.use_cases.ground.problems import problems_of

BODY_BYTES_AT_MOST = 1024 * 1024
DEPTH_AT_MOST = 64
PAGE_AT_MOST = 100
PAGE_DEFAULT = 50

_JSON_MEDIA_TYPE = re.compile(r"application/(json|[\w.+-]+\+json)\s*(;.*)?", re.IGNORECASE)

_ACCOUNT_CALL = re.compile(r"/v1/connections/[^/]+/calls/[^/]+")
_ENTITY_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e]*"')

IF_MATCH_HEADER = {
    "If-Match": (
        "The ETag of the setting as it was read. Where it has changed since, nothing is done "
        "(412); without this header the last write wins."
    )
}

Query = TypeVar("Query", bound=BaseModel)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as exc:
        raise PydanticCustomError("utc", "lies outside the years 1 to 9999 in UTC") from exc


UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class QueryModel(BaseModel):
    """The query parameters that a call knows; any other is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class PageQuery(QueryModel):
    """Which page of a list: `cursor` is the `next_cursor` of the page before."""

    limit: int = Field(PAGE_DEFAULT, ge=1, le=PAGE_AT_MOST)
    cursor: str | None = Field(None, min_length=1, max_length=2048)


def read_query(model: type[Query], given: Mapping[str, Sequence[str]]) -> Query:
    """Raises RequestMalformed. Lists may be repeated or separated by commas; others come once."""
    problems = []
    values: dict[str, Any] = {}
    for name, texts in given.items():
        field = model.model_fields.get(name)
        if field is not None and get_origin(field.annotation) in (list, frozenset):
            values[name] = [part for text in texts for part in text.split(",")]
        elif len(texts) > 1 and field is not None:
            problems.append(Problem(name, "may be given only once"))
        else:
            values[name] = texts[0]
    try:
        query = model.model_validate(values)
    except ValidationError as error:
        raise RequestMalformed([*problems, *problems_of(error)]) from error
    if problems:
        raise RequestMalformed(problems)
    return query


def body_too_large(bytes_at_most: int, path: str) -> BodyTooLarge:
    """Says what to do where it was a call at a service, which may be about files."""
    words = f"a body may have at most {bytes_at_most} bytes"
    if _ACCOUNT_CALL.fullmatch(path):
        words += (
            "; larger files go by the command of their service (`trainbell datarobot …`): on the "
            "server's own machine as they are, elsewhere with --direct"
        )
    return BodyTooLarge(words)


def read_body(text: str | None, media_type: str | None, path: str) -> Mapping[str, Any]:
    """The JSON object of a request.

    Raises:
        BodyTooLarge, MediaTypeUnsupported: before it is parsed.
        RequestMalformed: no JSON, not an object, a key twice, too deep, or text that no store
            can keep.
    """
    if not text:
        raise _malformed("a JSON object is required")
    if len(text) > BODY_BYTES_AT_MOST or len(text.encode(errors="replace")) > BODY_BYTES_AT_MOST:
        raise body_too_large(BODY_BYTES_AT_MOST, path)
    if media_type is None or not _JSON_MEDIA_TYPE.fullmatch(media_type.strip()):
        raise MediaTypeUnsupported("the header Content-Type must be application/json")
    try:
        document = json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_unique_pairs
        )
    except RecursionError as exc:
        raise _too_deep() from exc
    except ValueError as exc:
        where = f" (line {exc.lineno})" if isinstance(exc, json.JSONDecodeError) else f": {exc}"
        raise _malformed(f"this is no valid JSON{where}") from exc
    if not isinstance(document, dict):
        raise _malformed("must be a JSON object")
    _check_values(document)
    return document


def read_model(model: type[Query], body: Mapping[str, Any]) -> Query:
    """A body as this model. Raises InputInvalid, with every problem."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise InputInvalid(problems_of(error)) from error


def read_if_match(headers: Mapping[str, str]) -> frozenset[str] | None:
    """The revisions in If-Match (RFC 9110, 13.1.1): `*`, or entity tags; None where it is absent.

    A weak tag never matches. Raises RequestMalformed for what is neither.
    """
    text = headers.get("if-match")
    if text is None:
        return None
    if text.strip() == "*":
        return frozenset("*")
    tags = [part.strip() for part in text.split(",") if part.strip()]
    if not tags or not all(_ENTITY_TAG.fullmatch(tag) for tag in tags):
        message = 'must be * or entity tags, such as "3f2a", as an ETag said them'
        raise RequestMalformed([Problem("If-Match", message)])
    return frozenset(tag.strip('"') for tag in tags if not tag.startswith("W/"))


def refuse_body(text: str | None) -> None:
    """Raises RequestMalformed for a body where the call takes none. `{}` is as good as none."""
    if text is not None and text.strip() not in ("", "{}"):
        raise _malformed("this call takes no body")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _check_values(document: Mapping[str, Any]) -> None:
    level: list[Any] = [document]
    for _ in range(DEPTH_AT_MOST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.keys())
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, str):
                _check_text(value)
            elif isinstance(value, float) and not math.isfinite(value):
                raise _malformed("a number is too large")
        if not below:
            return
        level = below
    raise _too_deep()


def _check_text(text: str) -> None:
    if "\0" in text:
        raise _malformed("text must not contain the character U+0000")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as exc:
            raise _malformed("text contains half of a surrogate pair") from exc


def _too_deep() -> RequestMalformed:
    return _malformed(f"may be nested at most {DEPTH_AT_MOST} levels deep")


def _malformed(message: str) -> RequestMalformed:
    return RequestMalformed([Problem("body", message)])
