"""Options that many commands share, and the reading of `KEY=VALUE`, of JSON and of times."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="TRAINBELL_URL", help="Which Trainbell; the one on this machine if none."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ProjectOption = Annotated[str | None, typer.Option(help="Only this project.")]
ParamOption = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="KEY=VALUE", help="A parameter; JSON is read as JSON."),
]
ParamsFileOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, readable=True, help="Parameters as a JSON file."),
]
TagOption = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="A label to find it by; repeatable.")
]

_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """`["a=1"]` as a mapping. Raises typer.BadParameter, naming the option."""
    found = {}
    for each in given or ():
        key, separator, value = each.partition("=")
        if not separator or not key:
            raise typer.BadParameter(f"'{each}' is not KEY=VALUE", param_hint=option)
        found[key] = value
    return found


def values(given: Sequence[str] | None, option: str) -> dict[str, Any]:
    """As `pairs`; a value that is JSON is taken as JSON (`epochs=3`), any other as text."""
    return {key: _value(text) for key, text in pairs(given, option).items()}


def parameters(given: Sequence[str] | None, file: Path | None) -> dict[str, Any]:
    """The file's object, with `--param` on top.

    Raises:
        typer.BadParameter: the file holds no JSON object, or an option is not KEY=VALUE.
    """
    return (_object_of(file) if file else {}) | values(given, "--param")


def deadline(text: str | None, now: datetime) -> str | None:
    """`2h30m` from now, or a time such as 2026-11-21T09:00:00Z, as RFC 3339 in UTC."""
    if text is None:
        return None
    try:
        at = _time_of(text, now).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"'{text}' is no span such as 2h30m, and no time such as 2026-11-21T09:00:00Z"
        raise typer.BadParameter(message, param_hint="--deadline") from error
    return at.isoformat().replace("+00:00", "Z")


def _time_of(text: str, now: datetime) -> datetime:
    spans = _SPAN.findall(text)
    if spans and "".join(number + unit for number, unit in spans) == text:
        lengths = (timedelta(**{_UNITS[unit]: float(number)}) for number, unit in spans)
        return now + sum(lengths, timedelta())
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.astimezone()


def _value(text: str) -> Any:
    try:
        return _strict_json(text)
    except (ValueError, RecursionError):
        return text


def _object_of(file: Path) -> dict[str, Any]:
    try:
        found = _strict_json(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        message = f"{file} is no valid JSON: {error.msg} (line {error.lineno})"
        raise typer.BadParameter(message, param_hint="--params-file") from error
    except (OSError, ValueError, RecursionError) as error:
        message = f"{file} cannot be read as JSON ({type(error).__name__})"
        raise typer.BadParameter(message, param_hint="--params-file") from error
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{file} holds no JSON object", param_hint="--params-file")
    return found


def _strict_json(text: str) -> Any:
    """JSON as the standard says it: Python would also take numbers that no JSON can carry."""
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
