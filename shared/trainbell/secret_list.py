"""What the owner of a machine allows its secrets: one file in the data directory.

    {"file:/home/ada/deepva-key": [{"provider": "deepva", "hosts": ["127.0.0.1:9101"]}]}

Whoever can write the file is the owner, so no call of the API changes it. `trainbell secrets` edits
it, and so may a person; it is read anew when it has changed.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from trainbell.domain.secret_bounds import Bound
from trainbell.errors import ConfigInvalid

FILE_NAME = "allowed-secrets.json"
BYTES_AT_MOST = 1_000_000
_MODE = 0o600
_OTHERS_MAY_WRITE = 0o022

Bounds = Mapping[str, Sequence[Bound]]


def canonical(reference: str) -> str:
    """One spelling for each secret: a file by its real path, whatever links lead there."""
    kind, _, rest = reference.partition(":")
    return f"file:{os.path.realpath(rest)}" if kind == "file" else reference


class SecretList:
    """The file, as it is now. Thread-safe."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / FILE_NAME
        self._lock = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._bounds: Bounds = {}

    def bounds(self, reference: str) -> Sequence[Bound]:
        """What its owner said of this secret; nothing where it is not in the list.

        Raises:
            ConfigInvalid: the file cannot be used, so that nothing in it can be relied on.
        """
        with self._lock:
            return self._read().get(canonical(reference), ())

    def all(self) -> Bounds:
        """Raises as `bounds` does."""
        with self._lock:
            return self._read()

    def allow(self, reference: str, bound: Bound) -> None:
        """Add to what is allowed. Raises ConfigInvalid where the file cannot be used or written."""
        with self._changing() as listed:
            kept = listed.setdefault(canonical(reference), [])
            if bound not in kept:
                kept.append(bound)

    def withdraw(self, reference: str) -> bool:
        """Take a secret out of the list. Returns whether it was there. Raises as `allow` does."""
        with self._changing() as listed:
            return listed.pop(canonical(reference), None) is not None

    def _read(self) -> Bounds:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            self._seen, self._bounds = None, {}
            return self._bounds
        except OSError as error:
            raise self._unusable(error.strerror or type(error).__name__) from error
        now = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if now != self._seen:
            if stat.st_mode & _OTHERS_MAY_WRITE:
                raise self._unusable("other people may write it; close it with: chmod 600")
            self._bounds = self._parsed()
            self._seen = now
        return self._bounds

    def _parsed(self) -> Bounds:
        try:
            with self.path.open("rb") as file:
                raw = file.read(BYTES_AT_MOST + 1)
            if len(raw) > BYTES_AT_MOST:
                raise self._unusable(f"it is larger than {BYTES_AT_MOST:,} bytes")
            document = json.loads(raw)
        except OSError as error:
            raise self._unusable(error.strerror or type(error).__name__) from error
        except (ValueError, RecursionError) as error:
            raise self._unusable("it is no JSON in UTF-8") from error
        if not isinstance(document, dict):
            raise self._unusable("it is no JSON object of references")
        found, problems = {}, []
        for reference, entries in document.items():
            try:
                found[canonical(reference)] = _bounds_in(entries)
            except ConfigInvalid as error:
                problems.append(f"{reference[:200]}: {error}")
        if problems:
            raise self._unusable("; ".join(problems))
        return found

    @contextmanager
    def _changing(self) -> Iterator[dict[str, list[Bound]]]:
        """One change at a time, also of several processes; written whole or not at all."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self.path.with_suffix(".lock").open("a") as alone, self._lock:
                fcntl.flock(alone, fcntl.LOCK_EX)
                listed = {each: list(bounds) for each, bounds in self._read().items()}
                yield listed
                self._write(listed)
        except OSError as error:
            raise self._unusable(error.strerror or type(error).__name__) from error

    def _write(self, listed: Bounds) -> None:
        document = {each: [_entry(bound) for bound in listed[each]] for each in sorted(listed)}
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.replace(self.path)

    def _unusable(self, why: str) -> ConfigInvalid:
        return ConfigInvalid(f"the list of allowed secrets {self.path} cannot be used: {why}")


def _bounds_in(entries: Any) -> list[Bound]:
    if not isinstance(entries, list) or not entries:
        raise ConfigInvalid("must be a list of {provider, hosts}; leave it out to allow nothing")
    return [_bound_in(entry) for entry in entries]


def _bound_in(entry: Any) -> Bound:
    if not isinstance(entry, dict) or not set(entry) <= {"hosts", "provider"}:
        raise ConfigInvalid("each is an object with hosts, provider, or both")
    hosts, user = entry.get("hosts", []), entry.get("provider")
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
        raise ConfigInvalid("hosts must be a list of texts")
    if user is not None and not isinstance(user, str):
        raise ConfigInvalid("provider must be a text")
    return Bound.of(hosts, user)


def _entry(bound: Bound) -> dict[str, Any]:
    entry: dict[str, Any] = {} if bound.user is None else {"provider": bound.user}
    return entry | ({"hosts": [str(host) for host in bound.hosts]} if bound.hosts else {})
