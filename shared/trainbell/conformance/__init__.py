"""What every provider and every channel must keep, as pytest classes. For tests only; needs pytest.

A provider's test module derives from `ProviderConformance` (any provider) or `HttpConformance`
(one that calls a service over HTTP), a channel's from `ChannelConformance`, and gives a `subject`.
See tests/contract/ of Trainbell for some of each.
"""

import pytest

# Before the modules with the assertions are imported, so that a failure shows its values.
pytest.register_assert_rewrite(
    "trainbell.conformance.channel_suite",
    "trainbell.conformance.provider_suite",
    "trainbell.conformance.http_suite",
)

from trainbell.conformance.channel_suite import ChannelConformance, ChannelSubject  # noqa: E402
from trainbell.conformance.http_suite import HttpConformance, HttpSubject  # noqa: E402
from trainbell.conformance.provider_suite import ProviderConformance, Subject  # noqa: E402

__all__ = [
    "ChannelConformance",
    "ChannelSubject",
    "HttpConformance",
    "HttpSubject",
    "ProviderConformance",
    "Subject",
]
