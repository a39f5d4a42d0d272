"""A vault whose owner allows everything: for tests of what comes after that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainbell.domain.secret_bounds import Bound, Destination, SecretUse
from trainbell.secret_list import SecretList


class OpenSecrets:
    """`ports.SecretVault` without `read`, which each test fills in."""

    def refusal(self, reference: str, use: SecretUse) -> str | None:
        return None

    def renew(self, reference: str) -> None:
        """Nothing is kept."""


def allow(data_dir: Path, body: Mapping[str, Any]) -> None:
    """As the owner of a machine, let the secret of this connection go where it leads."""
    bound = Bound.of([str(Destination.of_url(body["base_url"]))], body["provider"])
    SecretList(data_dir).allow(body["secret"], bound)
