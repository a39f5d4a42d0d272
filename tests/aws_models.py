"""AWS's own service models, as botocore has them: documents that limits are held against."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session


@cache
def service_model(name: str) -> Any:
    """Of a service; some take a second to read."""
    return botocore.session.get_session().get_service_model(name)
