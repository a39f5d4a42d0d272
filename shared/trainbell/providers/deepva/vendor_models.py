"""DeepVA's objects as they come over the wire.

Only what Trainbell stands on is required: an id, a state, a list's total. The rest may be missing,
null or of another shape without making an answer unreadable. Times are written with a space and
without a zone (`2020-12-15 12:56:18.601000`); we read them as UTC.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from trainbell.providers.vendor_values import Id, Number, Object, Text, Time, Word


class Training(BaseModel):
    """A training. `progress` is 0.0 to 1.0; `duration` is in seconds and is the service's own
    figure, which is not `time_completed` less `time_started` (its documented example shows 2.8 s
    beside 42 s). `output_model` is null until done, and may stay so."""

    model_config = ConfigDict(extra="allow")

    id: Id
    state: Word
    type: Text = None
    error: Text = None
    progress: Number = None
    duration: Number = None
    time_created: Time = None
    time_started: Time = None
    time_completed: Time = None
    source_dataset: Object = None
    output_model: Object = None
    output_model_name: Text = None
    output_model_changelog: Text = None


class TrainingPage(BaseModel):
    """One page of a list. `next` and `prev` are not read: they are absolute and on the wrong
    scheme (http), so following them would send the key in the clear."""

    model_config = ConfigDict(extra="ignore")

    total: int = Field(ge=0)
    data: list[Training] = Field(max_length=1000)
