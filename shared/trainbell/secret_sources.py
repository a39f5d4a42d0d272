"""Secrets of one machine: `env:NAME` and `file:/path`; for the cloud's, see `cloud.secrets`."""

from __future__ import annotations

import os
from pathlib import Path

from trainbell.errors import ConfigInvalid

SECRET_BYTES_AT_MOST = 64 * 1024


class MachineSecrets:
    """Reads the environment, or a file whose last newline is dropped. Nothing is kept."""

    def read(self, reference: str) -> str:
        kind, _, rest = reference.partition(":")
        if kind == "env":
            return self._from_environment(rest)
        if kind == "file":
            return self._from_file(Path(rest))
        # What stands there may be the secret itself by mistake, so nothing of it is repeated.
        raise ConfigInvalid(
            "this kind of secret reference does not work on one machine: use env:NAME or file:/path"
        )

    def _from_environment(self, name: str) -> str:
        value = os.environ.get(name)
        if not value:
            raise ConfigInvalid(
                f"the environment variable {name} is not set where Trainbell runs: set it there, "
                "and start Trainbell again"
            )
        return value

    def _from_file(self, path: Path) -> str:
        try:
            with path.open("rb") as file:
                raw = file.read(SECRET_BYTES_AT_MOST + 1)
            text = raw.decode().rstrip("\r\n")
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ConfigInvalid(f"the secret file {path} cannot be read: {why}") from error
        except UnicodeDecodeError as error:
            raise ConfigInvalid(f"the secret file {path} is not UTF-8 text") from error
        if not text or len(raw) > SECRET_BYTES_AT_MOST:
            raise ConfigInvalid(f"the secret file {path} is empty or larger than 64 KiB")
        return text
