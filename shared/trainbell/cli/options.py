"""Options that many commands share, and the reading of `KEY=VALUE` and of JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Sequence
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

_NO_NUMBERS = frozenset({"nan", "inf", "infinity"})


def pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """`["a=1"]` as a mapping. Raises typer.BadParameter, naming the option."""
    found: dict[str, str] = {}
    for key, value in _split(given, option):
        if key in found:
            raise typer.BadParameter(f"'{key}' is given twice", param_hint=option)
        found[key] = value
    return found


def values(
    given: Sequence[str] | None, option: str, *, lists: Collection[str] = ()
) -> dict[str, Any]:
    """As `pairs`; a value that is JSON is taken as JSON (`epochs=3`), any other as text.

    What is named in `lists` is one: each time that it is given adds an item, or a JSON list.
    """
    found: dict[str, Any] = {key: [] for key, _ in _split(given, option) if key in lists}
    for key, text in _split(given, option):
        value = _value(text, option)
        if key in lists:
            found[key] += value if isinstance(value, list) else [text]
        elif key in found:
            raise typer.BadParameter(f"'{key}' is given twice", param_hint=option)
        else:
            found[key] = value
    return found


def parameters(given: Sequence[str] | None, file: Path | None) -> dict[str, Any]:
    """The file's object, with `--param` on top.

    Raises:
        typer.BadParameter: the file holds no JSON object, or an option is not KEY=VALUE.
    """
    return (_object_of(file) if file else {}) | values(given, "--param")


def _split(given: Sequence[str] | None, option: str) -> Iterator[tuple[str, str]]:
    for each in given or ():
        key, separator, value = each.partition("=")
        if not separator or not key:
            raise typer.BadParameter(f"'{each}' is not KEY=VALUE", param_hint=option)
        yield key, value


def _value(text: str, option: str) -> Any:
    try:
        return _strict_json(text)
    except _NotFinite as error:
        if not _is_lenient_json(text):
            return text  # Such as `Infinity War`: it begins like a number.
        message = f"{error}; if it is meant as text, say so: '{json.dumps(text)}'"
        raise typer.BadParameter(message, param_hint=option) from error
    except (ValueError, RecursionError):
        return text


def _is_lenient_json(text: str) -> bool:
    if text.lstrip("+-").lower() in _NO_NUMBERS:
        return True
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


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


class _NotFinite(ValueError):
    """A number that no JSON can carry."""


def _strict_json(text: str) -> Any:
    """JSON as the standard says it: Python would also take numbers that no JSON can carry."""
    if text.lstrip("+-").lower() in _NO_NUMBERS:
        _refuse(text)
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _finite(text: str) -> float:
    found = float(text)
    return found if math.isfinite(found) else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise _NotFinite(f"'{text}' is no finite number")
