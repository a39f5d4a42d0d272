"""Finds providers and channels by name, without a list to edit.

One is a folder of a package, or an entry point of a group whose name is its name and whose object
is what it declares. Folders are listed without importing them; one is imported when it is first
asked for, so that a function that polls DeepVA never loads another service's code.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, Protocol, TypeVar

from trainbell.errors import ConfigInvalid

ThirdParty = Callable[[], Iterable[EntryPoint]]


class Declared(Protocol):
    @property
    def name(self) -> str: ...


Spec = TypeVar("Spec", bound=Declared)


class Finder(Generic[Spec]):
    """The extensions of one kind. `noun` names the kind in errors; a folder declares itself as
    `attribute`, which is a `declares`; `group` is that of the entry points, which `third_party`
    replaces in tests."""

    def __init__(
        self,
        declares: type[Spec],
        *,
        noun: str,
        attribute: str,
        package: str,
        group: str,
        third_party: ThirdParty | None = None,
    ) -> None:
        self._declares = declares
        self._noun = noun
        self._attribute = attribute
        self._package = package
        self._third_party = third_party or (lambda: entry_points(group=group))
        self._found: Mapping[str, EntryPoint | None] | None = None
        self._specs: dict[str, Spec] = {}

    def names(self) -> Sequence[str]:
        """Sorted, whether or not they can be loaded. Raises ConfigInvalid where two have one."""
        return sorted(self._all())

    def __contains__(self, name: str) -> bool:
        return name in self._all()

    def load(self, name: str) -> Spec:
        """What this one declares of itself. Only its own fault is its own trouble.

        Raises:
            KeyError: there is none.
            ConfigInvalid: it cannot be imported, declares nothing, or has another name.
        """
        with suppress(KeyError):
            return self._specs[name]
        entry = self._all()[name]
        place = f"{self._package}.{name}" if entry is None else entry.value
        try:
            spec = self._in_folder(place) if entry is None else entry.load()
        except Exception as exc:
            raise ConfigInvalid(
                f"the {self._noun} {name!r} ({place}) is installed but cannot be loaded: "
                f"{type(exc).__name__}: {exc}"
            ) from exc
        if not isinstance(spec, self._declares):
            raise ConfigInvalid(
                f"{place} is listed as a {self._noun} but gives no {self._attribute}"
            )
        if spec.name != name:
            raise ConfigInvalid(f"{place} is found as {name!r} but calls itself {spec.name!r}")
        self._specs[name] = spec
        return spec

    def _in_folder(self, place: str) -> object:
        return getattr(import_module(place), self._attribute, None)

    def _all(self) -> Mapping[str, EntryPoint | None]:
        """Every name; None stands for a folder of the package."""
        if self._found is None:
            paths = import_module(self._package).__path__
            found: dict[str, EntryPoint | None] = {
                module.name: None for module in pkgutil.iter_modules(paths) if module.ispkg
            }
            for entry in self._third_party():
                if entry.name in found:
                    raise ConfigInvalid(
                        f"two {self._noun}s are called {entry.name!r}; one of them is {entry.value}"
                    )
                found[entry.name] = entry
            self._found = found
        return self._found
