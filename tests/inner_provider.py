"""The provider itself, behind the redaction of what it says."""

from __future__ import annotations

from trainbell.ports import Provider
from trainbell.providers.redacted import RedactedProvider


def inner(client: Provider) -> Provider:
    assert isinstance(client, RedactedProvider)
    return client.inner
