"""The schema of a scenario: every key that the YAML may have, what it means, and its default.

Times are nanoseconds, rates are events per second, shares are parts of 1; in the YAML they carry their
units (``20s``, ``400/s``, ``98%``).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mocks.faults import PROCESS_FAULTS
from mocks.faults.timing import Flap as Flapping
from mocks.faults.timing import Repeat as Repetition
from mocks.faults.timing import Timing
from scenarios.load import Load as Load
from scenarios.quantities import (
    Abort,
    CountCeiling,
    Duration,
    DurationCeiling,
    Monthly,
    Rate,
    Share,
    ShareFloor,
)
from scenarios.section import Section
from scenarios.stage import Stage as Stage

_S = 1_000_000_000
_MS = 1_000_000

PLATFORM = "platform"
"""What the platform is called where a gateway could be named, too."""

GOOD_SHARE = 0.98
"""A slice of a second is good when at least this share of the payments due in it succeed."""

LEAST_IN_SLICE = 20
"""Payments due that make a slice; one with fewer is joined with the next."""


class ReferencePlatform(Section):
    """The platform that comes with paydrill (``mocks/platform/``)."""

    timeout: Duration = Field(2 * _S, gt=0, description="how long it waits for one call to a gateway")


class Platform(Section):
    """What is drilled: the reference platform, or one that runs already."""

    reference: ReferencePlatform | None = Field(None, description="start the reference platform")
    url: str | None = Field(
        None,
        description="base URL of a platform that runs already; of an https one, the certificate is checked "
        "against the system's authorities, or those in the file that SSL_CERT_FILE names in the environment",
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_reference(cls, data: Any) -> Any:
        # `reference:` with nothing after it is how people write "with its defaults".
        if isinstance(data, dict) and "reference" in data and data["reference"] is None:
            return {**data, "reference": {}}
        return data

    @model_validator(mode="after")
    def _one_of_them(self) -> Platform:
        if (self.reference is None) == (self.url is None):
            raise ValueError("say either reference: {} or url: ..., not both and not neither")
        return self


class Latency(Section):
    """Answer times of a gateway: a lognormal distribution given by two of its percentiles, or the
    distribution of one's own measurements. Either `p50` and `p99`, or `from`, or `quantiles`."""

    p50: Duration | None = Field(None, gt=0, description="half of the answers take at most this")
    p99: Duration | None = Field(None, gt=0, description="99 of 100 answers take at most this")
    from_: str | None = Field(
        None,
        alias="from",
        description="a file of measurements, as `paydrill latency sample` writes it; its path counts from "
        "the scenario's folder, or else from the working folder",
    )
    quantiles: tuple[Duration, ...] | None = Field(
        None,
        min_length=1,
        description="at equal distances from the least to the greatest value; what `from` becomes in a "
        "run's folder, so that the run can be played again without the file",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Latency:
        percentiles = (self.p50, self.p99) != (None, None)
        if percentiles + (self.from_ is not None) + (self.quantiles is not None) != 1:
            raise ValueError("say either p50 and p99, or from: FILE, or quantiles; one of them")
        if percentiles:
            if self.p50 is None or self.p99 is None:
                raise ValueError(
                    f"{'p50' if self.p50 is None else 'p99'} is missing; p50 and p99 go together"
                )
            if self.p99 < self.p50:
                raise ValueError("p99 is below p50; the 99th percentile cannot be shorter than the median")
        points = self.quantiles or ()
        if any(later < earlier for earlier, later in pairwise(points)):
            raise ValueError("quantiles must not fall: each is at least the one before it")
        return self


class Webhooks(Section):
    """How badly a mock gateway delivers its events to the reference platform."""

    jitter: Duration = Field(0, ge=0, description="first attempts wait up to so long: events overtake")
    doubled: Share = Field(0.0, description="share of deliveries that are sent twice although they arrived")


class Sandbox(Section):
    """A gateway's own test environment, behind a proxy that keeps its limit and injects the faults. Its keys
    come from the environment, and from nowhere else."""

    rate: Rate | None = Field(
        None, gt=0, description="requests per second at most, when it is to be less than the sandbox allows"
    )
    address: str | None = Field(
        None,
        pattern=r"^(127(\.\d{1,3}){3}|\[::1\]):\d{1,5}$",
        description="an address and port of this machine that stands in for the sandbox's, such as a relay; "
        "its certificate must be the sandbox's all the same",
    )
    ca: str | None = Field(
        None, description="a PEM file with the authorities to trust, instead of the system's"
    )


class Gateway(Section):
    """A gateway: a mock, unless it says `sandbox`."""

    latency: Latency = Field(
        default_factory=lambda: Latency.model_validate({"p50": "120ms", "p99": "600ms"}),
        description="its answer times",
    )
    weight: float = Field(
        1.0, ge=0, allow_inf_nan=False, description="its part of the traffic, relative to the others"
    )
    webhooks: Webhooks = Field(default_factory=Webhooks, description="how it delivers its events")
    region: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
        description="where it stands; a fault that is on a region is on all of its gateways",
    )
    capacity: int | None = Field(
        None,
        ge=1,
        description="requests that it carries at a time at its own latency; with more in flight, answers "
        "take in flight / capacity times as long. No limit by default",
    )
    clock_speed: float = Field(
        1.0,
        gt=0,
        allow_inf_nan=False,
        description="seconds of its clock to a real one, so that payouts fall into the drill; idempotency "
        "keys expire by this clock, too",
    )
    settlement: Literal["timed"] | None = Field(
        None, description="timed: bank debits settle on the days of their scheme, by the gateway's clock"
    )
    sandbox: Sandbox | None = Field(
        None, description="its own test environment instead of a mock; {} is all that it needs"
    )

    @model_validator(mode="before")
    @classmethod
    def _plain_sandbox(cls, data: Any) -> Any:
        if isinstance(data, dict) and "sandbox" in data and data["sandbox"] is None:
            return {**data, "sandbox": {}}
        return data


class Flap(Section):
    """On and off, for as long as the fault lasts; it begins with on."""

    on: Duration = Field(ge=10 * _MS, description="how long it is on each time")
    off: Duration = Field(ge=10 * _MS, description="how long it is off in between")


class Repeat(Section):
    """The whole fault again."""

    every: Duration = Field(
        ge=10 * _MS, description="from one start to the next; longer than the fault lasts"
    )
    times: int = Field(ge=2, description="how often it comes in all")


class Fault(Section):
    """A fault on a gateway, for a time. `kill` and `restart` end its process and start it again; the
    reference platform can have these, too."""

    at: Duration = Field(ge=0, description="when it starts, counted from the first due time of the load")
    for_: Duration = Field(alias="for", gt=0, description="how long it lasts")
    on: str = Field(
        description="the gateway that has it, or a region: all of its gateways have it; platform, if its "
        "process is killed or restarted"
    )
    fault: str = Field(description="which fault; see mocks/faults")
    endpoint: str | None = Field(None, description="only requests to this endpoint of the gateway")
    share: Annotated[Share, Field(gt=0)] = Field(1.0, description="share of requests, drawn per request")
    params: dict[str, Any] = Field(default_factory=dict, description="the fault's own parameters")
    match: dict[str, Any] = Field(
        default_factory=dict,
        description="only requests that fit: `currency: EUR`, `card: 4000 00` (how its number begins) or "
        "`4000..4099`, `payment_method: [apple_pay, google_pay]`, `http_method`, `endpoint`, `region`; for "
        "webhooks `event: payment_intent.*`",
    )
    flap: Flap | None = Field(None, description="on and off while it lasts: {on: 2s, off: 3s}")
    ramp: Duration = Field(
        0,
        ge=0,
        description="it takes so long to come to its full strength: its effect grows where it has a size "
        "(latency), else its share of requests",
    )
    repeat: Repeat | None = Field(None, description="it comes again: {every: 30s, times: 3}")

    @property
    def choosing(self) -> tuple[str, ...]:
        """The keys that are given and choose among requests."""
        return tuple(
            key
            for key in ("endpoint", "share", "match", "ramp")
            if getattr(self, key) != type(self).model_fields[key].get_default(call_default_factory=True)
        )

    @property
    def end(self) -> int:
        again = (self.repeat.times - 1) * self.repeat.every if self.repeat is not None else 0
        return self.at + again + self.for_

    @property
    def timing(self) -> Timing:
        """When it is on. Raises ValueError when it cannot be so."""
        flap = Flapping(self.flap.on, self.flap.off) if self.flap is not None else None
        repeat = Repetition(self.repeat.every, self.repeat.times) if self.repeat is not None else None
        return Timing(self.at, self.for_, flap, self.ramp, repeat)


class Probe(Section):
    """A synthetic probe that watches during the drill."""

    probe: str = Field(description="which probe; see probes")
    on: str = Field("platform", description="what it watches: platform, a gateway of this scenario, or a URL")
    every: Duration = Field(_S, ge=50 * _MS, description="time between two due times")
    recheck: Duration | None = Field(
        None, ge=20 * _MS, description="the same, after a failure; a tenth by default"
    )
    timeout: Duration = Field(2 * _S, gt=0, description="when the probe gives up")
    params: dict[str, Any] = Field(default_factory=dict, description="the probe's own parameters")


class Window(Section):
    """Announced maintenance: left out of the uptime (gross, net and excluded time are all reported)."""

    at: Duration = Field(ge=0, description="when it starts")
    for_: Duration = Field(alias="for", gt=0, description="how long it lasts")

    @property
    def end(self) -> int:
        return self.at + self.for_


class MonthlyUptime(Section):
    """Uptime of a month of 30 days, if every incident in it were like the ones of this drill."""

    target: ShareFloor = Field(description="the objective, e.g. '>= 99.9%'")
    incidents: Monthly = Field(gt=0, description="incidents of this kind in a month, e.g. 10/month")


MONEY_OBJECTIVES = (
    "lost_payments",
    "double_charges",
    "orphan_captures",
    "amount_mismatches",
    "unresolved_unknowns",
    "refund_mismatches",
    "dispute_mismatches",
    "fee_mismatches",
    "payout_mismatches",
)
"""The objectives that count what is wrong with the money."""


class Objectives(Section):
    """What the platform must hold. Only what stands here is gated; everything else is reported."""

    uptime: ShareFloor | None = Field(None, description="good time of this drill, over slices of one second")
    monthly_uptime: MonthlyUptime | None = Field(
        None, description="what the drill's incidents leave of a month"
    )
    success_rate: ShareFloor | None = Field(None, description="expected outcomes / payments due")
    approval_rate: ShareFloor | None = Field(None, description="approved payments / payments due")
    latency_p50: DurationCeiling | None = Field(None, description="median latency, from the due time")
    latency_p90: DurationCeiling | None = Field(None, description="90th percentile of latency")
    latency_p95: DurationCeiling | None = Field(None, description="95th percentile of latency")
    latency_p99: DurationCeiling | None = Field(None, description="99th percentile of latency")
    latency_p999: DurationCeiling | None = Field(None, description="99.9th percentile of latency")
    detection_time: DurationCeiling | None = Field(None, description="fault started -> first failed probe")
    failover_time: DurationCeiling | None = Field(
        None, description="fault started -> 20 successes in a row begin"
    )
    recovery_time: DurationCeiling | None = Field(
        None, description="fault started -> success rate holds again"
    )
    failback_time: DurationCeiling | None = Field(
        None, description="fault stopped -> the gateway's share is back"
    )
    lost_payments: CountCeiling | None = Field(None, description="told succeeded, but no capture or no entry")
    double_charges: CountCeiling | None = Field(None, description="orders captured more than once")
    orphan_captures: CountCeiling | None = Field(
        None, description="captures that the platform does not know of"
    )
    amount_mismatches: CountCeiling | None = Field(
        None, description="amount or currency differs between views"
    )
    unresolved_unknowns: CountCeiling | None = Field(
        None, description="payments whose outcome nobody learned"
    )
    refund_mismatches: CountCeiling | None = Field(
        None, description="orders whose refunds differ between platform and gateways"
    )
    dispute_mismatches: CountCeiling | None = Field(
        None, description="orders whose disputed money differs between platform and gateways"
    )
    fee_mismatches: CountCeiling | None = Field(
        None, description="payouts whose fees differ between platform and gateway"
    )
    payout_mismatches: CountCeiling | None = Field(
        None, description="payouts that differ between platform and gateway"
    )


class Scenario(Section):
    """A drill, as planned."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="a short name: a-z, 0-9, - and _")
    about: str = Field("", description="one sentence: what it shows")
    seed: int = Field(1, ge=0, lt=2**63, description="the same seed plans the same payments")
    platform: Platform = Field(default_factory=lambda: Platform(reference=ReferencePlatform()))
    gateways: dict[str, Gateway] = Field(default_factory=dict, description="the gateways, by name")
    load: Load
    faults: tuple[Fault, ...] = ()
    probes: tuple[Probe, ...] = ()
    maintenance: tuple[Window, ...] = ()
    objectives: Objectives = Field(default_factory=Objectives)
    abort_when: Abort | None = Field(
        None,
        description="ends the drill early, e.g. success_rate < 50% for 30s: in each of so many seconds in a "
        "row, fewer of the payments that ended succeeded",
    )
    settle: Duration = Field(
        15 * _S, ge=0, description="how long unknown outcomes may take to be resolved after the last payment"
    )
    allow_hosts: dict[str, Rate] = Field(
        default_factory=dict,
        description="hosts other than this machine that may be called, with the most requests/s",
    )

    @property
    def duration_ns(self) -> int:
        """Length of the load."""
        return self.load.duration_ns

    def struck(self, on: str) -> tuple[str, ...]:
        """Whom a fault on this name is on: the gateway, the platform, or all gateways of the region, in the
        scenario's order; nobody, if the name means nothing here."""
        if on == PLATFORM or on in self.gateways:
            return (on,)
        return tuple(name for name, gateway in self.gateways.items() if gateway.region == on)

    def identified_faults(self) -> tuple[tuple[str, Fault], ...]:
        """Every fault with its id, on one gateway or the platform each: ``f1``, ``f2``, ... in the scenario's
        order; a fault on a region is one fault on each of its gateways, ``f3.stripe`` and ``f3.adyen``."""
        found = []
        for number, fault in enumerate(self.faults, start=1):
            for name in self.struck(fault.on):
                if name == fault.on:
                    found.append((f"f{number}", fault))
                else:
                    found.append((f"f{number}.{name}", fault.model_copy(update={"on": name})))
        return tuple(found)

    def ended_processes(self) -> frozenset[str]:
        """The gateways, or ``platform``, whose process a fault ends and starts again."""
        return frozenset(fault.on for _, fault in self.identified_faults() if fault.fault in PROCESS_FAULTS)

    def expected_payments(self) -> float:
        """The mean number of payments due; of users, if all were answered at once."""
        return self.load.expected_arrivals() + self.load.most_of_users()

    def to_plain(self) -> dict[str, Any]:
        """The scenario with all defaults filled in, as data that the schema reads back to the same value."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
