"""The part of a scenario's schema that says how payments arrive: the stages of the open loop."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from scenarios.arrivals.recording import unpacked
from scenarios.arrivals.shapes import recorded_rates, shape_of
from scenarios.quantities import Arrivals, Duration, Rate, format_duration
from scenarios.section import Section

_S = 1_000_000_000
_MS = 1_000_000

LONGEST_TRACE = 7 * 86_400 * _S
"""How long a trace may take to be played."""

MOST_PIECES = 100_000
"""Steps, cycles and ramps that a load may be made of, repetitions included."""


class Steps(Section):
    """A staircase of equal steps, the first at `from`, the last at `to`."""

    from_: Rate = Field(alias="from", ge=0, description="payments due per second on the first step")
    to: Rate = Field(ge=0, description="payments due per second on the last step")
    every: Duration = Field(
        ge=10 * _MS, description="how long a step is; the stage's duration is two of them or more"
    )


class Spike(Section):
    """A peak that stands out of a constant rate."""

    to: Rate = Field(ge=0, description="payments due per second at its top")
    at: Duration = Field(0, ge=0, description="when it begins to rise, counted from the stage's start")
    rise: Duration = Field(0, ge=0, description="how long it takes to get there")
    hold: Duration = Field(0, ge=0, description="how long it stays there")
    fall: Duration = Field(0, ge=0, description="how long it takes to get back")

    @property
    def end(self) -> int:
        return self.at + self.rise + self.hold + self.fall


class Sine(Section):
    """A rate that swings: mean + amplitude * sin(2 pi t / period)."""

    mean: Rate = Field(gt=0, description="payments due per second on average; at a period's start, too")
    amplitude: Rate = Field(ge=0, description="how far it swings, up and down; at most the mean")
    period: Duration = Field(ge=100 * _MS, description="from one crest to the next")

    @model_validator(mode="after")
    def _never_below_zero(self) -> Sine:
        if self.amplitude > self.mean:
            raise ValueError("amplitude is above mean; a rate cannot be below zero")
        return self


class Stage(Section):
    """A stretch of the load: `rate` (constant, a ramp, or with a `spike`), `steps`, `sine`, `trace`, or other
    stages that are repeated. One of these, and its `duration`; a trace and repeated stages have their own."""

    duration: Duration | None = Field(None, gt=0, description="how long it lasts; it cuts a trace off")
    rate: Arrivals | None = Field(None, description="payments due per second; 50/s..400/s is a ramp")
    spike: Spike | None = Field(
        None, description="out of a constant rate: {to: 400/s, at: 10s, rise: 2s, hold: 5s, fall: 3s}"
    )
    steps: Steps | None = Field(None, description="a staircase: {from: 50/s, to: 400/s, every: 10s}")
    sine: Sine | None = Field(None, description="a swing: {mean: 200/s, amplitude: 100/s, period: 30s}")
    trace: str | None = Field(
        None,
        description="a file of recorded arrivals: CSV with timestamps, Locust's stats history, or k6's JSON; "
        "its path counts from the scenario's folder, or else from the working folder",
    )
    speed: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = Field(
        None, description="how many times as fast the trace is played; 1 by default"
    )
    repeat: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="how often the `arrivals` beside it are played"
    )
    arrivals: tuple[Stage, ...] | None = Field(None, min_length=1, description="the stages to repeat")
    name: str = Field("", description="what it stands for, shown in the live view and the report")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="of the trace's file; written into a run's folder"
    )
    offsets: str | None = Field(
        None,
        description="the recorded arrivals themselves; what `trace` becomes in a run's folder, so that the "
        "run can be played again without the file",
    )
    rates: str | None = Field(
        None,
        pattern=r"^(\S+:\S+ )+\S+$",
        description="the same of a trace that holds rates: when each begins, and when the last one ends",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Stage:
        kinds = {
            "rate": self.rate is not None,
            "steps": self.steps is not None,
            "sine": self.sine is not None,
            "trace": self.is_trace,
            "repeat": self.repeat is not None or self.arrivals is not None,
        }
        said = [kind for kind, given in kinds.items() if given]
        if not said:
            raise ValueError("'rate' is missing; say rate, steps, sine, trace, or repeat with arrivals")
        if len(said) > 1:
            raise ValueError(f"{' and '.join(said)} do not go together; make them stages of their own")
        if self.spike is not None and (self.rate is None or self.rate.start != self.rate.end):
            raise ValueError("a spike stands out of a constant rate; say rate: 65/s beside it")
        for key in ("speed", "sha256", "offsets", "rates"):
            if getattr(self, key) is not None and not self.is_trace:
                raise ValueError(f"{key} goes with a trace only")
        if self.is_trace:
            self._trace_fits()
        elif said == ["repeat"]:
            self._repeats()
        elif self.duration is None:
            raise ValueError("'duration' is missing: how long the stage lasts")
        else:
            self._parts_fit(self.duration)
        return self

    @property
    def is_trace(self) -> bool:
        return self.trace is not None or self.offsets is not None or self.rates is not None

    @property
    def length_ns(self) -> int:
        """How long it lasts; of repeated stages, all of their rounds."""
        return shape_of((self,)).length_ns

    def _repeats(self) -> None:
        if self.repeat is None or self.arrivals is None:
            raise ValueError("repeat and arrivals go together: {repeat: 3, arrivals: [...]}")
        if self.duration is not None:
            raise ValueError("duration does not go with repeat; what is repeated has its own")

    def _parts_fit(self, duration: int) -> None:
        if self.spike is not None and self.spike.end > duration:
            raise ValueError(
                f"the spike ends {format_duration(self.spike.end)} into the stage, which lasts "
                f"{format_duration(duration)}"
            )
        if self.steps is not None:
            count, rest = divmod(duration, self.steps.every)
            if count > MOST_PIECES:
                raise ValueError(f"makes {count:,} steps; {MOST_PIECES:,} are the most")
            if count < 2 or rest:
                raise ValueError(
                    f"{format_duration(duration)} is not two or more whole steps of "
                    f"{format_duration(self.steps.every)}"
                )

    def _trace_fits(self) -> None:
        if (self.offsets is None) == (self.rates is None):
            raise ValueError("a trace has either offsets or rates once its file has been read")
        if self.offsets is not None:
            unpacked(self.offsets)
        if self.rates is not None:
            edges = [edge for edge, _ in recorded_rates(self.rates)]
            if edges[0] or any(later <= earlier for earlier, later in pairwise(edges)):
                raise ValueError("rates must begin at 0s, each later than the one before")
        whole = shape_of((self.model_copy(update={"duration": None}),)).length_ns
        if self.duration is not None and self.duration > whole:
            raise ValueError(
                f"the trace is {format_duration(whole)} long at this speed, and duration can only cut it"
            )
        if min(whole, self.duration or whole) > LONGEST_TRACE:
            raise ValueError(
                f"the trace takes {whole / 86_400 / _S:,.0f} days, and {LONGEST_TRACE // 86_400 // _S} are "
                "the most; look for a wrong line, or cut it with duration"
            )
