"""A simulator of Amazon Lookout for Vision, API 2020-11-20, with verified signatures."""

import json

from trainbell.simulators.access import Access
from trainbell.simulators.lookout_vision.service import (
    ACCESS_KEY_ID,
    REGION,
    SECRET_ACCESS_KEY,
    LookoutVisionSimulator,
)

SIMULATOR = LookoutVisionSimulator
ACCESS = Access(
    secret=json.dumps({"access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY}),
    options={"region": REGION},
)

__all__ = ["ACCESS", "SIMULATOR", "LookoutVisionSimulator"]
