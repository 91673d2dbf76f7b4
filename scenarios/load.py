"""The part of a scenario's schema that says what is loaded: when payments are due, and what they are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from scenarios.arrivals.shapes import shape_of
from scenarios.quantities import Duration, DurationRange, Share, ThinkTime
from scenarios.section import Section
from scenarios.stage import MOST_PIECES
from scenarios.stage import Stage as Stage

_S = 1_000_000_000
_MS = 1_000_000


class Tasks(Section):
    """What users do, by weight: of `{pay: 10, look_up: 3}`, ten of 13 tasks are payments."""

    pay: int = Field(0, ge=0, le=1000, description="make a payment of the load's mix")
    look_up: int = Field(
        0,
        ge=0,
        le=1000,
        description="ask for an earlier payment of one's own, and compare with what was answered",
    )
    refund: int = Field(0, ge=0, le=1000, description="have an earlier payment of one's own refunded")

    @model_validator(mode="after")
    def _somebody_pays(self) -> Tasks:
        if not self.pay:
            raise ValueError("pay is missing: without payments there is nothing to look up or refund")
        return self


class Users(Section):
    """The closed loop: people who do one task after the other, and think in between. A slow platform slows
    them down, so their latencies look better than they would at a given rate of arrivals."""

    count: int = Field(ge=1, le=50_000, description="how many users there are")
    ramp: Duration = Field(0, ge=0, description="the first starts at once, the last before this time is over")
    for_: Duration | None = Field(
        None, alias="for", gt=0, description="how long they go on; as long as the arrivals, if there are any"
    )
    think_time: ThinkTime = Field(
        DurationRange(_S, 3 * _S),
        description="from the end of a task to the next: 2s, or between 1s..3s at random",
    )
    tasks: Tasks = Field(
        Tasks(pay=1), description="what they do, by weight: {pay: 10, look_up: 3, refund: 1}"
    )


class Load(Section):
    """The payments: when they are due, and what they are. Either `arrivals` or `users`, or both."""

    arrivals: tuple[Stage, ...] = Field((), description="stages of the open loop, one after the other")
    users: Users | None = Field(None, description="the closed loop")
    spacing: Literal["poisson", "even"] = Field(
        "poisson", description="how arrivals are spread at a given rate: at random like people, or evenly"
    )
    mix: dict[str, Share] = Field(
        default_factory=lambda: {"card": 1.0},
        description="shares of the payment methods; they add up to 100%",
    )
    declines: Share = Field(0.04, description="share of payments whose instrument must be declined")
    currencies: dict[str, Share] = Field(
        default_factory=lambda: {"EUR": 0.6, "USD": 0.25, "GBP": 0.15},
        description="shares of the currencies; they add up to 100%",
    )
    timeout: Duration = Field(5 * _S, gt=0, description="when a customer gives up waiting for an answer")
    connect_timeout: Duration = Field(
        2 * _S, gt=0, description="when the client gives up making a connection, TLS included"
    )
    read_timeout: Duration | None = Field(
        None,
        gt=0,
        description="when the client gives up on a platform that has fallen silent before its answer was "
        "whole; by default only `timeout` ends that",
    )
    max_in_flight: int = Field(
        4000,
        ge=1,
        le=10_000_000,
        description="most payments that all load workers together hold open; beyond it they are not sent",
    )

    @property
    def duration_ns(self) -> int:
        """How long payments are asked for, by the arrivals or by the users."""
        users = self.users.for_ if self.users is not None else None
        return max(shape_of(self.arrivals).length_ns, users or 0)

    def expected_arrivals(self) -> float:
        """The mean number of payments of the open loop: the integral of the rate, and the recorded ones."""
        return float(shape_of(self.arrivals).expected)

    def most_of_users(self) -> float:
        """About how many payments the users make at most: if all they do were to pay, and took a
        millisecond."""
        if self.users is None:
            return 0.0
        think = self.users.think_time
        steps = 1 + (self.users_end_ns - self.users.ramp / 2) / ((think.low + think.high) / 2 + _MS)
        return self.users.count * steps

    @property
    def users_end_ns(self) -> int:
        """When users begin no task any more."""
        users = self.users.for_ if self.users is not None else None
        return self.duration_ns if users is None else users

    @model_validator(mode="after")
    def _somebody_pays(self) -> Load:
        if not self.arrivals and self.users is None:
            raise ValueError("nothing would be due; say arrivals, or users")
        if not self.arrivals and self.users is not None and self.users.for_ is None:
            raise ValueError("users without arrivals need to know how long they go on: {count: 50, for: 60s}")
        if self.users is not None and self.users.ramp >= self.users_end_ns:
            raise ValueError("the users' ramp takes as long as the users go on; shorten it")
        return self

    @model_validator(mode="after")
    def _pieces_are_countable(self) -> Load:
        size = shape_of(self.arrivals).size
        if size > MOST_PIECES:
            raise ValueError(f"arrivals has {size:,} steps and cycles in all; {MOST_PIECES:,} are the most")
        return self
