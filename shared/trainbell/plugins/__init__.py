"""What a provider or a channel of one's own may stand on. Everything else of Trainbell may change.

| module | for |
|---|---|
| `trainbell.plugins` | what both declare, take, give and raise; light to import |
| `trainbell.plugins.calling` | providers: the service's HTTP calls, orders, values in its answers |
| `trainbell.plugins.telling` | channels: words about a job, and webhooks |
| `trainbell.plugins.testing` | tests: the conformance suites, a simulated service, a clock |

The names are those of each module's `__all__`; docs/plugin-api.md says how they change.
"""

from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.job import EndReason, Performance, State
from trainbell.domain.observation import Observation
from trainbell.domain.order import OnUnclear, Order, WhenBusy
from trainbell.domain.settings import ChannelConfig, Connection
from trainbell.errors import (
    ConfigInvalid,
    NotifyError,
    NotifyRejected,
    NotifyUnavailable,
    NotSupported,
    ProviderAuthFailed,
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
    TrainbellError,
)
from trainbell.ports import (
    AccountCall,
    Channel,
    ChannelContext,
    ChannelSpec,
    Clock,
    Found,
    Handle,
    Kind,
    Notice,
    Provider,
    ProviderContext,
    ProviderSpec,
    SecretSource,
    ServiceState,
    ServiceStatus,
    StartOrder,
)

PLUGIN_API_VERSION = (1, 2)
"""Major and minor. The minor grows with what is added, the major with what is taken away."""

__all__ = [
    "PLUGIN_API_VERSION",
    "AccountCall",
    "Channel",
    "ChannelConfig",
    "ChannelContext",
    "ChannelSpec",
    "Clock",
    "ConfigInvalid",
    "Connection",
    "EndReason",
    "EventType",
    "Found",
    "Handle",
    "JobEvent",
    "Kind",
    "NotSupported",
    "Notice",
    "NotifyError",
    "NotifyRejected",
    "NotifyUnavailable",
    "Observation",
    "OnUnclear",
    "Order",
    "Performance",
    "Provider",
    "ProviderAuthFailed",
    "ProviderContext",
    "ProviderError",
    "ProviderJobMissing",
    "ProviderRejected",
    "ProviderReplyInvalid",
    "ProviderSpec",
    "ProviderThrottled",
    "ProviderUnavailable",
    "SecretSource",
    "ServiceState",
    "ServiceStatus",
    "StartOrder",
    "StartOutcomeUnknown",
    "State",
    "TrainbellError",
    "WhenBusy",
]
