"""Reads a version's requirements.txt as the service shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trainbell.simulators.datarobot.records import File

_LINE = re.compile(
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[(?P<extras>[^\]]*)\])?(?P<rest>(?:\s*[<>=].*)?)$"
)
_CONSTRAINT = re.compile(r"\s*(?P<type><=|>=|==|<|>)\s*(?P<version>[A-Za-z0-9.*+!-]+)\s*")


class Unparsable(Exception):
    """`lines` are those that are no dependency."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__(f"cannot read: {', '.join(lines)}")


def dependencies(files: Mapping[str, File]) -> list[dict[str, Any]]:
    """Raises Unparsable, naming every wrong line."""
    file = files.get("requirements.txt")
    if file is None:
        return []
    found, wrong = [], []
    for number, raw in enumerate(file.content.decode("utf-8", errors="replace").splitlines(), 1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        match = _LINE.match(line)
        constraints = [_CONSTRAINT.fullmatch(c) for c in match["rest"].split(",")] if match else []
        if match is None or (match["rest"].strip() and None in constraints):
            wrong.append(line)
            continue
        found.append(
            {
                "packageName": match["name"],
                "extras": match["extras"] or "",
                "line": line,
                "lineNumber": number,
                "constraints": [
                    {"constraintType": c["type"], "version": c["version"]} for c in constraints if c
                ],
            }
        )
    if wrong:
        raise Unparsable(wrong)
    return found
