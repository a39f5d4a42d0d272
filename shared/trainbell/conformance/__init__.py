"""What every provider must keep, as pytest classes. For tests only; needs pytest.

A provider's test module derives from `ProviderConformance` (any provider) or `HttpConformance`
(one that calls a service over HTTP), and gives a `subject`. See tests/contract/ of Trainbell for
one of each.
"""

import pytest

# Before the modules with the assertions are imported, so that a failure shows its values.
pytest.register_assert_rewrite(
    "trainbell.conformance.provider_suite", "trainbell.conformance.http_suite"
)

from trainbell.conformance.http_suite import HttpConformance, HttpSubject  # noqa: E402
from trainbell.conformance.provider_suite import ProviderConformance, Subject  # noqa: E402

__all__ = ["HttpConformance", "HttpSubject", "ProviderConformance", "Subject"]
