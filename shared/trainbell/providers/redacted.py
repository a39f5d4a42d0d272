"""The one place where what a service says enters Trainbell: without the secrets of its connection.

Whoever writes a provider, and whatever it forgets: its observations, handles, log lines, words and
errors pass here. Providers still redact what they cut, because a cut may leave half a secret.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from trainbell.domain.observation import Observation
from trainbell.errors import ProviderAuthFailed, ProviderReplyInvalid, StartOutcomeUnknown
from trainbell.extensions.bound_secret import BoundSecret
from trainbell.ports import Found, Handle, Provider, StartOrder
from trainbell.ports.account_calls import Answer, Run
from trainbell.providers.redaction import Redactor, redactor_of

Said = TypeVar("Said")

SECRETS_KEPT = 8
IDS_AT_LEAST = 8
_IN_A_HANDLE = (
    "the service's id of the job holds the connection's secret, so it is not kept; "
    "give the connection a secret that is a part of no name"
)


class KnownSecrets:
    """A connection's secret that remembers what it gave: what must never be shown.

    Also what it gave before, because an answer to a call made with that may still be on its way.
    """

    def __init__(self, source: BoundSecret) -> None:
        self.source = source
        self._given: deque[str] = deque(maxlen=SECRETS_KEPT)

    def read(self, reference: str) -> str:
        secret = self.source.read(reference)
        if secret not in self._given:
            self._given.append(secret)
        return secret

    def all(self) -> tuple[str, ...]:
        return tuple(self._given)


@runtime_checkable
class HasSecrets(Protocol):
    """A provider with secrets of its own making, such as a token that it got for its key."""

    def secrets(self) -> Sequence[str]: ...


class RedactedProvider:
    """A provider (`ports.Provider`) behind the redaction of all it says."""

    def __init__(self, provider: Provider, known: KnownSecrets) -> None:
        self.inner = provider
        self._known = known
        self._own = provider.secrets if isinstance(provider, HasSecrets) else tuple

    def start(self, order: StartOrder) -> Handle:
        handle = self._said(lambda: self.inner.start(order))
        if self._gives_away(handle):
            raise StartOutcomeUnknown(_IN_A_HANDLE)
        return handle

    def find(self, order: StartOrder) -> Found | None:
        found = self._said(lambda: self.inner.find(order))
        if found is not None and self._gives_away(found):
            raise ProviderReplyInvalid(_IN_A_HANDLE)
        return found

    def poll(self, handle: Handle) -> Observation:
        return self._redacted(lambda: self.inner.poll(handle))

    def cancel(self, handle: Handle) -> None:
        self._said(lambda: self.inner.cancel(handle))

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        return self._redacted(lambda: list(self.inner.logs(handle, lines)))

    def forget(self, handle: Handle) -> None:
        self._said(lambda: self.inner.forget(handle))

    def check(self) -> str:
        return self._redacted(self.inner.check)

    def ask(self, run: Run, given: Any) -> Answer:
        return self._redacted(lambda: run(self.inner, given))

    def close(self) -> None:
        self.inner.close()

    def require_permission(self) -> None:
        """Raises ConfigInvalid where the connection's secret may no longer go where it goes."""
        self._known.source.require()

    def _said(self, ask: Callable[[], Said]) -> Said:
        try:
            return ask()
        except Exception as error:
            self._current().error(error)
            if isinstance(error, ProviderAuthFailed):
                self._known.source.renew()
            raise

    def _redacted(self, ask: Callable[[], Said]) -> Said:
        said = self._said(ask)
        return self._current().value(said)

    def _gives_away(self, handle: Found) -> bool:
        # Masked, it would no longer find the job.
        return self._current(IDS_AT_LEAST).value(handle) is not handle

    def _current(self, at_least: int = 1) -> Redactor:
        return redactor_of((*self._known.all(), *self._own()), at_least=at_least)
