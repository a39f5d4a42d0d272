"""The one place where a secret is handed out: to one user, for the hosts that its owner allowed.

A provider or a channel gets a `BoundSecret` and never the vault. The vault is asked anew for every
call, so a permission that is withdrawn, or a setting that was changed behind the API's back, counts
at once.
"""

from __future__ import annotations

from dataclasses import replace

from trainbell.domain.secret_bounds import Destination, SecretUse
from trainbell.errors import ConfigInvalid
from trainbell.ports import SecretVault


class BoundSecret:
    """The secret of one connection or channel (`ports.SecretSource`). Thread-safe."""

    def __init__(self, vault: SecretVault, reference: str | None, use: SecretUse) -> None:
        self._vault = vault
        self._reference = reference
        self._use = use

    def require(self) -> None:
        """Raises ConfigInvalid where it may not be used so; ProviderUnavailable where nobody can
        say now."""
        self._require(self._use)

    def read(self, reference: str) -> str:
        """Raises ConfigInvalid: it may not be used so, or cannot be had. No other reference than
        the one of its settings is read."""
        if reference != self._reference:
            raise ConfigInvalid("this is not the secret of these settings")
        self.require()
        return self._vault.read(reference)

    def renew(self) -> None:
        """The service refused it: what is kept of it is dropped, once."""
        if self._reference is not None:
            self._vault.renew(self._reference)

    def _require(self, use: SecretUse) -> None:
        refused = self._vault.refusal(self._reference, use) if self._reference else None
        if refused is not None:
            raise ConfigInvalid(refused)


class BoundAddress(BoundSecret):
    """The same for a channel, whose secret may itself be the address that is told."""

    def read(self, reference: str) -> str:
        """Raises ConfigInvalid also where it is an address elsewhere; no error repeats it."""
        secret = super().read(reference)
        if self._use.is_address:
            leads_to = (Destination.of_url(secret.strip()),) if "://" in secret else ()
            use = replace(self._use, destinations=leads_to, is_address=bool(leads_to))
            self._require(use)
        return secret
