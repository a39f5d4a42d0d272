"""Logs, metrics and traces of the functions: one set for all handlers.

Log lines are JSON; `about_job` puts the job's id into every line of a turn, also into those that
use cases and providers write. Metrics go out in the log (embedded metric format), so that they
cost no call. A trace is found by the annotation `job_id`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

Handler = Callable[[dict[str, Any], Any], Any]
Decorated = TypeVar("Decorated", bound=Handler)

NAMESPACE = "Trainbell"

logger = Logger(logger_name="trainbell", utc=True, use_rfc3339=True)
metrics = Metrics(namespace=NAMESPACE)
# botocore alone: patching all that is installed makes a cold start twice as long.
tracer = Tracer(patch_modules=("botocore",))


def observed(handler: Decorated) -> Decorated:
    """Log the context, flush the metrics, trace the call. No event and no answer is recorded."""
    traced = tracer.capture_lambda_handler(handler, capture_response=False)

    @wraps(handler)
    def measured(event: dict[str, Any], context: Any) -> Any:
        try:
            return traced(event, context)
        finally:
            # Powertools' own decorator warns where a handler failed before it counted anything.
            if metrics.metric_set:
                metrics.flush_metrics()

    logged = logger.inject_lambda_context(measured, log_event=False, clear_state=True)
    return cast(Decorated, logged)


def about_job(job_id: str) -> None:
    logger.append_keys(job_id=job_id)
    tracer.put_annotation("job_id", job_id)


def count(numbers: Mapping[str, int]) -> None:
    for name, number in numbers.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
