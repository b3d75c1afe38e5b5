"""What all tables of the configuration have in common: unknown keys are errors, and nothing is converted."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0, le=31_536_000, strict=False)]


class Table(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Named(Table):
    """A table of which there may be several."""

    name: str = Field(min_length=1)
