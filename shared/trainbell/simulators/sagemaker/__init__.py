"""A simulator of Amazon SageMaker's training jobs (2017-07-24), with verified signatures."""

import json

from trainbell.simulators.access import Access
from trainbell.simulators.sagemaker.service import (
    ACCESS_KEY_ID,
    REGION,
    SECRET_ACCESS_KEY,
    SageMakerSimulator,
)

SIMULATOR = SageMakerSimulator
ACCESS = Access(
    secret=json.dumps({"access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY}),
    options={"region": REGION},
)

__all__ = ["ACCESS", "SIMULATOR", "SageMakerSimulator"]
