"""Documented limits of what a caller may ask for, held against the models that check it.

A limit knows what is to be taken at its edges and what, one past each, is to be refused.
"""

from __future__ import annotations

import copy
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

ALNUM = string.ascii_letters + string.digits
STRANGE = "~ \n/#é"


class Limit(Protocol):
    def taken(self) -> Iterator[Any]: ...

    def refused(self) -> Iterator[Any]: ...


@dataclass(frozen=True, slots=True)
class Values:
    """Written out."""

    good: Sequence[Any]
    bad: Sequence[Any]

    def taken(self) -> Iterator[Any]:
        yield from self.good

    def refused(self) -> Iterator[Any]:
        yield from self.bad


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number; None: no such end is documented."""

    least: int | None
    most: int | None

    def taken(self) -> Iterator[Any]:
        yield from (end for end in (self.least, self.most) if end is not None)

    def refused(self) -> Iterator[Any]:
        if self.least is not None:
            yield self.least - 1
        if self.most is not None:
            yield self.most + 1


@dataclass(frozen=True, slots=True)
class Text:
    """So many characters of these; `first`: of these in the first place, where it is choosier.
    Any characters, where `of` is None; any length from the least, where `most` is None."""

    least: int
    most: int | None
    of: str | None = None
    first: str | None = None

    def taken(self) -> Iterator[str]:
        fill = (self.first or self.of or "a")[0]
        yield from (fill * size for size in (self.least, self.most) if size is not None)
        for each in self.first or self.of or "":
            yield each + fill * (self.least - 1)
        for each in self.of or "":
            yield fill * max(self.least, 1) + each

    def refused(self) -> Iterator[str]:
        fill = (self.first or self.of or "a")[0]
        if self.least:
            yield fill * (self.least - 1)
        if self.most is not None:
            yield fill * (self.most + 1)
        if self.of is None:
            return
        for each in set(STRANGE) - set(self.of):
            yield from (each + fill * self.least, fill * self.least + each)
            yield fill + each + fill * self.least
        if self.first is not None:
            yield from (each + fill for each in set(self.of) - set(self.first))


@dataclass(frozen=True, slots=True)
class Items:
    """A list of so many."""

    least: int
    most: int
    item: Callable[[int], Any]

    def taken(self) -> Iterator[Any]:
        yield from (self._of(size) for size in (self.least, self.most))

    def refused(self) -> Iterator[Any]:
        if self.least:
            yield self._of(self.least - 1)
        yield self._of(self.most + 1)

    def _of(self, size: int) -> list[Any]:
        return [self.item(number) for number in range(size)]


@dataclass(frozen=True, slots=True)
class Case:
    """A limit of the value at a path of a model's input, which is otherwise `given`.

    A number in a path is a place in a list.
    """

    model: type[BaseModel]
    given: Mapping[str, Any]
    path: str
    limit: Limit

    def __str__(self) -> str:
        return f"{self.model.__name__}.{self.path}"

    def breaches(self) -> list[str]:
        """What the model takes or refuses against the limit."""
        return [
            *(f"refuses {_shown(each)}" for each in self.limit.taken() if not self._takes(each)),
            *(f"takes {_shown(each)}" for each in self.limit.refused() if self._takes(each)),
        ]

    def _takes(self, value: Any) -> bool:
        try:
            self.model.model_validate(_with(self.given, self.path, value))
        except ValidationError:
            return False
        return True


def _with(given: Mapping[str, Any], path: str, value: Any) -> Any:
    whole: Any = copy.deepcopy(dict(given))
    *places, last = (int(each) if each.isdigit() else each for each in path.split("."))
    inner = whole
    for place in places:
        inner = inner[place]
    inner[last] = value
    return whole


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:40]}… ({len(value)})"
