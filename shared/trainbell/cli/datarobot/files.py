"""The files of a new version: which ones, under which paths, and how they travel."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from trainbell.cli.datarobot.account import Account
from trainbell.cli.datarobot.direct import direct, save
from trainbell.client import JsonObject

FILES_AT_MOST = 750_000
"""Bytes of all files of a version through the API: a body has 1 MiB at most, in Base64."""

Files = Sequence[tuple[Path, str]]
FolderOption = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="All files below it, with their paths."),
]
FileOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LOCAL[=PATH]",
        help="A file, and its path in the version (its own name if none); repeatable.",
    ),
]


def files_for(folder: Path | None, given: Sequence[str] | None) -> Files:
    """Each local file with its path in the version.

    Raises typer.BadParameter where one cannot be read, or where two would have one path: the
    service keeps only the last of them.
    """
    found: list[tuple[Path, str]] = []
    if folder is not None:
        below = sorted(path for path in folder.rglob("*") if path.is_file())
        if not below:
            raise typer.BadParameter(f"{folder} holds no files", param_hint="--folder")
        found += [(path, path.relative_to(folder).as_posix()) for path in below]
    found += [_named(each) for each in given or ()]
    twice = {path for path, count in Counter(path for _, path in found).items() if count > 1}
    if twice:
        shown = "; ".join(
            f"{path} is both {' and '.join(str(local) for local, p in found if p == path)}"
            for path in sorted(twice)
        )
        raise typer.BadParameter(f"{shown}: say LOCAL=PATH for each", param_hint="--file")
    return found


def are_large(files: Files) -> bool:
    """Too large for a body of the API."""
    return size_of(files) > FILES_AT_MOST


def size_of(files: Files) -> int:
    return sum(local.stat().st_size for local, _ in files)


def encoded(files: Files) -> list[JsonObject]:
    """As the API takes them. Raises typer.BadParameter where they are too large for it."""
    if are_large(files):
        raise typer.BadParameter(
            f"the files have {size_of(files):,} bytes, and the API takes {FILES_AT_MOST:,}: send "
            "them with --direct, from a machine that may read the connection's secret",
            param_hint="--file",
        )
    return [
        {"path": path, "content": base64.b64encode(local.read_bytes()).decode()}
        for local, path in files
    ]


def sent_directly(
    account: Account, call: str, model: str, wanted: Mapping[str, Any], files: Files
) -> JsonObject:
    """The same version, made without the API in between."""
    # Here, because every other command needs no HTTP client of a provider.
    from pydantic import ValidationError

    from trainbell.providers.datarobot.resources.fields import NewVersion
    from trainbell.providers.datarobot.resources.versions import VersionContents

    try:
        fields = NewVersion.model_validate(wanted["version"])
    except ValidationError as wrong:
        said = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in wrong.errors())
        raise typer.BadParameter(said, param_hint="--field") from wrong
    contents = VersionContents(fields=fields, files=files, delete=wanted.get("filesToDelete") or ())
    with direct(account) as client:
        versions = client.versions
        send = versions.create if call == "create_version" else versions.create_from_latest
        return send(model, contents).model_dump(mode="json", by_alias=True)


def save_content(to: Path, answer: JsonObject, as_json: bool) -> None:
    """A download's answer as a file."""
    try:
        content = base64.b64decode(answer["content"], validate=True)
    except ValueError as error:
        # Trainbell masks the connection's secret wherever it stands.
        message = "the files seem to hold the connection's secret: download them with --direct"
        raise typer.BadParameter(message) from error

    def write_into(write: Any) -> int:
        write(content)
        return len(content)

    save(to, write_into, as_json)


def _named(given: str) -> tuple[Path, str]:
    """`LOCAL=PATH`. A file whose own name has an equals sign is taken for what it is."""
    local, equals, path = given, "", ""
    if not Path(given).is_file():
        local, equals, path = given.rpartition("=") if "=" in given else (given, "", "")
    if equals and not path:
        raise typer.BadParameter(f"'{given}' names no path", param_hint="--file")
    if not Path(local).is_file():
        raise typer.BadParameter(f"there is no file {local}", param_hint="--file")
    return Path(local), path or Path(local).name
