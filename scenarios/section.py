"""What every part of a scenario's schema is made from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a scenario: immutable, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
