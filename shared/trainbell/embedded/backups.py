"""`trainbell backup | restore`: the database of one machine, copied while it is used, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from trainbell.bootstrap.embedded import DATABASE
from trainbell.embedded.data_dir import open_data_dir
from trainbell.errors import ConfigInvalid
from trainbell.stores.sqlite.copying import copy_database
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.care.take_over import take_over_all

_BESIDE = ("-wal", "-shm")


def backup(data_dir: Path, file: Path) -> None:
    """Copy the database as it is at one moment, whether a Trainbell runs on it or not.

    Raises what `copy_database` does.
    """
    copy_database(data_dir / DATABASE, file)


def restore(data_dir: Path, file: Path, *, replaces: bool = False) -> tuple[int, Path | None]:
    """Put a backup in the database's place, while no Trainbell runs there.

    Returns how many jobs are watched, and where the database that stood there is now.

    1. The backup is copied beside the database and proved.
    2. In the copy, what is unsent is marked to be looked up first: it may have been sent since.
    3. The old database is moved aside, and the copy gets its place.

    Raises:
        ConfigInvalid: there is a database already and `replaces` is not said; or the files cannot
            be used.
        DataDirInUse: a Trainbell runs there.
        StoreError: the backup cannot be used. Nothing was changed.
    """
    with open_data_dir(data_dir):
        database, now = data_dir / DATABASE, datetime.now(UTC)
        if database.exists() and not replaces:
            raise ConfigInvalid(
                f"there is a database {database}: say --replace, and it is moved aside"
            )
        with _unfinished(data_dir / f".{DATABASE}.restored") as restored:
            copy_database(file, restored)
            store = SqliteStore(restored)
            try:
                watched = take_over_all(store, now)
            finally:
                store.close()
            aside = _moved_aside(database, now) if database.exists() else None
            restored.rename(database)
    return watched, aside


@contextmanager
def _unfinished(path: Path) -> Iterator[Path]:
    """A file that is gone afterwards, unless it was renamed; and one of an earlier try, before."""
    _remove(path)
    try:
        yield path
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    for suffix in ("", *_BESIDE):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _moved_aside(database: Path, now: datetime) -> Path:
    """With its log, without which it would lack its last writes."""
    aside = database.with_name(f"{database.name}.before-{now:%Y%m%dT%H%M%SZ}")
    for suffix in (*_BESIDE, ""):
        beside = Path(f"{database}{suffix}")
        if beside.exists():
            beside.rename(f"{aside}{suffix}")
    return aside
