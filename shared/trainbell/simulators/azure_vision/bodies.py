"""Request bodies as JSON objects, in either of the two media types that are in use."""

from __future__ import annotations

import json
from typing import Any

from trainbell.simulators.azure_vision.errors import Flaw, malformed, refused
from trainbell.simulators.service import Answer, Request

MEDIA_TYPES = ("application/json", "application/json-patch+json")
"""Microsoft's own client sends the first, the documentation names the second."""


def json_object(request: Request) -> dict[str, Any] | Answer:
    """The JSON object of the request, or the answer that says why there is none."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        return refused(415, "UnsupportedMediaType", f"Send {' or '.join(MEDIA_TYPES)}.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return malformed([Flaw("body", "It is no JSON.", "InvalidJson")])
    if not isinstance(body, dict):
        return malformed([Flaw("body", "It is no JSON object.", "InvalidJson")])
    return body
