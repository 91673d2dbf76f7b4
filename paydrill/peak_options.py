"""The options of ``paydrill run --find-peak``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeakOptions:
    """The options of a search as they were typed; ``None`` where an option was not given."""

    start: str | None
    most: str | None
    step: str | None
    precision: str | None
    steps: int | None

    def given(self) -> list[str]:
        """The options that were given."""
        options = {
            "--from": self.start,
            "--to": self.most,
            "--step": self.step,
            "--precision": self.precision,
            "--steps": self.steps,
        }
        return [name for name, value in options.items() if value is not None]
