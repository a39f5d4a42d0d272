"""ListTrainingJobs and ListTags, with the documented filters, orders and pages (API reference)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from trainbell.simulators.sagemaker.training_jobs import TrainingJob
from trainbell.simulators.settings import Settings, read

Status = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped", "Deleting"]


class ListAsked(Settings):
    """Input of ListTrainingJobs. Times are seconds since 1970, as on the wire."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    CreationTimeAfter: float | None = None
    CreationTimeBefore: float | None = None
    LastModifiedTimeAfter: float | None = None
    LastModifiedTimeBefore: float | None = None
    NameContains: Annotated[str, Field(max_length=63, pattern=r"^[a-zA-Z0-9\-]+$")] | None = None
    StatusEquals: Status | None = None
    SortBy: Literal["Name", "CreationTime", "Status"] = "CreationTime"
    SortOrder: Literal["Ascending", "Descending"] = "Ascending"
    MaxResults: Annotated[int, Field(ge=1, le=100)] = 10
    NextToken: Annotated[str, Field(max_length=8192)] | None = None


def listed(
    jobs: Iterable[TrainingJob],
    given: Mapping[str, Any],
    now: datetime,
    shown: Callable[[datetime], datetime],
) -> dict[str, Any]:
    """One page of summaries. A token names the item that it goes on behind, so new jobs shift
    nothing. Raises ValueError with all that is wrong with the input."""
    asked = read(ListAsked, dict(given))
    summaries = [job.summary(now, shown) for job in jobs]
    kept = [each for each in summaries if _fits(each, asked)]
    kept.sort(key=lambda each: _key(each, asked), reverse=asked.SortOrder == "Descending")
    start = 0
    if asked.NextToken is not None:
        last = _decoded(asked.NextToken)
        names = [each["TrainingJobName"] for each in kept]
        if last not in names:
            raise ValueError("NextToken: it is not of this list")
        start = names.index(last) + 1
    page = kept[start : start + asked.MaxResults]
    answer: dict[str, Any] = {"TrainingJobSummaries": page}
    if start + asked.MaxResults < len(kept):
        answer["NextToken"] = base64.b64encode(page[-1]["TrainingJobName"].encode()).decode()
    return answer


def _fits(summary: Mapping[str, Any], asked: ListAsked) -> bool:
    within = (
        (asked.CreationTimeAfter, summary["CreationTime"], asked.CreationTimeBefore),
        (asked.LastModifiedTimeAfter, summary["LastModifiedTime"], asked.LastModifiedTimeBefore),
    )
    return (
        all((a is None or a <= at) and (b is None or at <= b) for a, at, b in within)
        and asked.StatusEquals in (None, summary["TrainingJobStatus"])
        and (asked.NameContains or "") in summary["TrainingJobName"]
    )


def _key(summary: Mapping[str, Any], asked: ListAsked) -> tuple[Any, str]:
    field = {
        "Name": "TrainingJobName",
        "CreationTime": "CreationTime",
        "Status": "TrainingJobStatus",
    }
    return summary[field[asked.SortBy]], summary["TrainingJobName"]


def _decoded(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, ValueError):
        raise ValueError("NextToken: it is not of this list") from None
