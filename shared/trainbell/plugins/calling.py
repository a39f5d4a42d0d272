"""For providers: a service's HTTP calls, what an order asks for, and what an answer says."""

from trainbell.providers.credentials import (
    Credential,
    HeaderSecret,
    RequestSigner,
    secret_reference,
    service_url,
)
from trainbell.providers.http import ServiceHttp, Timeouts, path_segment
from trainbell.providers.orders import (
    Parameters,
    marker,
    name_in,
    parameters_of,
    without_marker,
    wrong_places,
)
from trainbell.providers.service_call import Call, Effect, Reply
from trainbell.providers.vendor_values import (
    Flag,
    Id,
    Number,
    Object,
    Text,
    Time,
    Word,
    number,
    only,
    utc_time,
)

__all__ = [
    "Call",
    "Credential",
    "Effect",
    "Flag",
    "HeaderSecret",
    "Id",
    "Number",
    "Object",
    "Parameters",
    "Reply",
    "RequestSigner",
    "ServiceHttp",
    "Text",
    "Time",
    "Timeouts",
    "Word",
    "marker",
    "name_in",
    "number",
    "only",
    "parameters_of",
    "path_segment",
    "secret_reference",
    "service_url",
    "utc_time",
    "without_marker",
    "wrong_places",
]
