"""Secrets of one machine: `env:NAME` and `file:/path`; for the cloud's, see `cloud.secrets`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from trainbell.domain.secret_bounds import AMBIENT, SecretUse, is_allowed
from trainbell.errors import ConfigInvalid
from trainbell.secret_list import SecretList, canonical

SECRET_BYTES_AT_MOST = 64 * 1024
# What stands there may be the secret itself by mistake, so nothing of it is repeated.
_OTHER_KIND = (
    "this kind of secret reference does not work on one machine: use env:NAME or file:/path"
)


class MachineSecrets:
    """Reads the environment, or a file whose last newline is dropped (`ports.SecretVault`).

    Nothing is kept. What its owner allows each secret stands in the list of the data directory,
    whose own files are nobody's secret.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._list = SecretList(data_dir)

    def refusal(self, reference: str, use: SecretUse) -> str | None:
        kind = reference.partition(":")[0]
        if kind not in ("env", "file") and reference != AMBIENT:
            return _OTHER_KIND
        if kind == "file" and self._is_trainbells_own(reference):
            return "files in Trainbell's own data directory are no secrets for a service"
        try:
            if is_allowed(self._list.bounds(reference), use):
                return None
        except ConfigInvalid as error:
            return str(error)
        return _not_allowed(reference, use)

    def renew(self, reference: str) -> None:
        """Nothing is kept."""

    def read(self, reference: str) -> str:
        kind, _, rest = reference.partition(":")
        if kind == "env":
            return self._from_environment(rest)
        if kind == "file":
            return self._from_file(Path(rest))
        raise ConfigInvalid(_OTHER_KIND)

    def _is_trainbells_own(self, reference: str) -> bool:
        path = Path(canonical(reference).removeprefix("file:"))
        return path.is_relative_to(os.path.realpath(self._data_dir))

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


def _not_allowed(reference: str, use: SecretUse) -> str:
    """What is not allowed, and what its owner can run; a secret that is an address is not shown,
    nor where it leads."""
    if use.is_address and use.destinations:
        where, hosts = "the address in it", "--host HOST"
    else:
        where = " and ".join(map(str, use.destinations)) or "the hosts of its service"
        hosts = " ".join(f"--host {shlex.quote(str(each))}" for each in use.destinations)
    command = f"trainbell secrets allow {shlex.quote(reference)} --provider {use.user} {hosts}"
    is_ambient = reference == AMBIENT
    named = "this machine's own credentials are" if is_ambient else f"the secret {reference} is"
    return (
        f"{named} not allowed to go to {where} for {use.user}. Whoever owns it can allow that on "
        f"this machine: {command.rstrip()}"
    )
