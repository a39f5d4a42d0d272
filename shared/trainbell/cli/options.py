"""Options that many commands share, and the reading of `KEY=VALUE` and of times."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="TRAINBELL_URL", help="Which Trainbell; the one on this machine if none."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ProjectOption = Annotated[str | None, typer.Option(help="Only this project.")]

_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    """`["a=1"]` as a mapping. Raises typer.BadParameter, naming the option."""
    found = {}
    for each in given:
        key, separator, value = each.partition("=")
        if not separator or not key:
            raise typer.BadParameter(f"'{each}' is not KEY=VALUE", param_hint=option)
        found[key] = value
    return found


def values(given: Sequence[str], option: str) -> dict[str, Any]:
    """As `pairs`; a value that is JSON is taken as JSON (`epochs=3`), any other as text."""
    return {key: _value(text) for key, text in pairs(given, option).items()}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def deadline(text: str | None, now: datetime) -> str | None:
    """`2h30m` from now, or a time such as 2026-11-21T09:00:00Z, as RFC 3339 in UTC."""
    if text is None:
        return None
    spans = _SPAN.findall(text)
    if spans and "".join(number + unit for number, unit in spans) == text:
        at = now + sum(
            (timedelta(**{_UNITS[unit]: float(number)}) for number, unit in spans), timedelta()
        )
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            message = "use a span such as 2h30m or a time such as 2026-11-21T09:00:00Z"
            raise typer.BadParameter(message, param_hint="--deadline") from error
        if at.tzinfo is None:
            at = at.astimezone()
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
