"""Large files, by the hand of the Trainbell that runs on this machine: on disk, in any size.

The command puts them into the data directory, which only its owner may read, and Trainbell sends
them from there; a download comes the same way. No secret is read here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from trainbell.cli.datarobot.account import Account, say
from trainbell.client import JsonObject
from trainbell.embedded.data_dir import default_data_dir, running_server

TRANSFER_SECONDS = 3700.0
"""A little more than the server takes for a whole transfer."""


def hands_over(account: Account) -> bool:
    """Whether the Trainbell that this command asks is the one of this data directory."""
    server = running_server(default_data_dir())
    return server is not None and server.url == account.trainbell.url


def send(account: Account, call: str, wanted: JsonObject, files: Sequence[tuple[Path, str]]) -> Any:
    """The call, with these local files under their paths."""
    with ExitStack() as handed:
        given = []
        for local, path in files:
            name = handed.enter_context(_a_name())
            _link_or_copy(local, _folder() / name)
            given.append({"path": path, "handed": name})
        return account.trainbell.move_files(
            account.name, call, {**wanted, "files": given}, seconds=TRANSFER_SECONDS
        )


def fetch(account: Account, call: str, to: Path, as_json: bool, **wanted: Any) -> None:
    """The call's download as a file, which is there whole or not at all."""
    with _a_name() as name:
        answer = account.trainbell.move_files(
            account.name, call, {**wanted, "handed": name}, seconds=TRANSFER_SECONDS
        )
        part = to.with_name(f".{to.name}.{name}")
        try:
            shutil.move(_folder() / name, part)
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)
    say({"path": str(to), "bytes": answer["bytes"]}, as_json)


@contextmanager
def _a_name() -> Iterator[str]:
    name = uuid4().hex
    try:
        yield name
    finally:
        (_folder() / name).unlink(missing_ok=True)


def _folder() -> Path:
    # Here, because every other command needs nothing of a provider.
    from trainbell.providers.datarobot.handed_files import FOLDER

    folder = default_data_dir() / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _link_or_copy(local: Path, there: Path) -> None:
    """Of the same disk it costs nothing."""
    try:
        os.link(local.resolve(), there)
    except OSError:
        shutil.copyfile(local, there)
