"""What all views are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """Something that is shown. Numbers that are not finite appear as null."""

    # Built when first used: a handler that is imported need not pay for all of them.
    model_config = ConfigDict(defer_build=True, frozen=True)
