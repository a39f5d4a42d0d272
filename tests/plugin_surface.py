"""What `trainbell.plugins` promises, as lines of text: each public name with its form.

`python -m tests.plugin_surface` renews tests/plugin_surface.txt. Who does so decides the next
PLUGIN_API_VERSION by docs/plugin-api.md.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

from pydantic import BaseModel

MODULES = (
    "trainbell.plugins",
    *(f"trainbell.plugins.{m}" for m in ("calling", "telling", "testing")),
)
PAGE = Path(__file__).with_name("plugin_surface.txt")


def surface() -> str:
    return "".join(f"{line}\n" for module in MODULES for line in _of_module(module))


def _of_module(name: str) -> Iterator[str]:
    module = import_module(name)
    yield f"[{name}]"
    for public in sorted(module.__all__):
        yield from _of_name(public, getattr(module, public))


def _of_name(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, FunctionType):
        yield f"{name}{_signature(value)}"
    elif inspect.isclass(value):
        yield f"{name}({', '.join(base.__name__ for base in value.__bases__)})"
        yield from (f"    {line}" for line in _of_class(value))
    elif name.isupper():
        yield f"{name} = {value!r}"
    else:
        yield f"{name}: a type"


def _of_class(cls: type) -> Iterator[str]:
    if issubclass(cls, Enum):
        yield from (f"{member.name} = {member.value!r}" for member in cls)
    elif is_dataclass(cls):
        for field in fields(cls):
            needed = field.default is MISSING and field.default_factory is MISSING
            yield f"{field.name}: {field.type}" + ("" if needed else " = …")
    elif not issubclass(cls, BaseModel) and "__init__" in vars(cls) and not _is_protocol(cls):
        yield f"__init__{_signature(cls.__init__)}"
    for name, member in sorted(vars(cls).items()):
        # What a suite tests may grow; what a subclass overrides or calls may not go.
        if not name.startswith(("_", "test_")):
            yield from _of_member(name, member)


def _of_member(name: str, member: Any) -> Iterator[str]:
    if isinstance(member, classmethod | staticmethod):
        yield f"{type(member).__name__} {name}{_signature(member.__func__)}"
    elif isinstance(member, property):
        yield f"property {name}"
    elif isinstance(member, FunctionType):
        yield f"{name}{_signature(member)}"


def _is_protocol(cls: type) -> bool:
    return bool(getattr(cls, "_is_protocol", False))


def _signature(function: Any) -> str:
    """Annotations without their quotes, which not every Python shows."""
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))


def main() -> int:
    PAGE.write_text(surface(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
