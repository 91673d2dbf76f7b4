"""What a fault is: a plan (what, when, on which requests) and a class that acts on a server or a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, cast

from mocks.draws import Draws
from mocks.drift import Drift
from mocks.faults.matcher import Match, Traits, matcher_of, normalized
from mocks.faults.timing import Flap, Repeat, Timing, flap_of, repeat_of
from mocks.reply import Reply

if TYPE_CHECKING:
    from mocks.exchange import Exchange
    from mocks.http import Server
    from mocks.transmission import Transmission

Kind = Literal["duration", "share", "status", "number", "count", "text"]
"""What a parameter is measured in: ``duration`` in ns (int), ``share`` from 0 to 1 (float), ``status`` an
HTTP status (int), ``number`` a float, ``count`` an int, ``text`` one of the parameter's choices (str)."""

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a fault. ``default`` is in the unit of its kind; ``about`` says what it does;
    ``choices`` are all the values that a text may have."""

    kind: Kind
    default: Value
    about: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """One fault of a scenario, for one target.

    Attributes:
        id: Tells two faults of one name apart (``f1``, ``f2``, ... in the scenario's order).
        fault: The name of its class.
        at_ns: Start, in ns since the run's epoch.
        for_ns: How long it lasts, in ns; each time, if it comes again.
        endpoint: The only endpoint it concerns (``payment_intents.create``); None for all.
        share: The share of requests that it touches, drawn per request.
        params: The fault's own parameters, each in the unit of its kind.
        match: The only requests it concerns: trait -> the values that it may have; see
            ``mocks.faults.matcher``. It is normalized, so that plans of one meaning are equal.
        flap: It goes on and off while it lasts; None: it does not.
        ramp_ns: It takes so long to come to its full strength: ``Fault.intensity`` grows from 0 to 1, and a
            fault that has no strength of its own touches a growing share of requests.
        repeat: It comes again; None: it does not.

    Raises:
        ValueError: Such a fault there cannot be.
    """

    id: str
    fault: str
    at_ns: int
    for_ns: int
    endpoint: str | None = None
    share: float = 1.0
    params: Mapping[str, Value] = field(default_factory=dict)
    match: Match = field(default_factory=dict)
    flap: Flap | None = None
    ramp_ns: int = 0
    repeat: Repeat | None = None

    def __post_init__(self) -> None:
        try:
            Timing(self.at_ns, self.for_ns, self.flap, self.ramp_ns, self.repeat)
            object.__setattr__(self, "match", normalized(self.match))
        except ValueError as error:
            raise ValueError(f"fault {self.id}: {error}") from error
        if not 0 < self.share <= 1:
            raise ValueError(f"fault {self.id}: its share must be above 0 and at most 1, not {self.share}")

    @property
    def timing(self) -> Timing:
        """When it is on."""
        return Timing(self.at_ns, self.for_ns, self.flap, self.ramp_ns, self.repeat)

    @property
    def whole(self) -> bool:
        """It concerns every request: the server as such."""
        return self.endpoint is None and not self.match and self.share >= 1 and not self.ramp_ns

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> FaultPlan:
        """The plan as it stands in a process's plan. Raises ValueError if it is not one."""
        try:
            timing = {"flap": flap_of(message.get("flap")), "repeat": repeat_of(message.get("repeat"))}
            return cls(**{**message, **timing})
        except TypeError as error:
            raise ValueError(f"a fault's plan cannot be read: {error}") from error

    def message(self) -> dict[str, Any]:
        """The plan as ``from_message`` takes it."""
        scope = {trait: list(values) for trait, values in self.match.items()}
        return asdict(self) | {"params": dict(self.params), "match": scope}


class Call(Protocol):
    """A request in a server's hands, as far as a fault can act on it."""

    endpoint: str

    @property
    def http_method(self) -> str:
        """``GET``, ``POST``, ..."""

    @property
    def region(self) -> str:
        """The region that the server serves; empty when it has none."""

    @property
    def traits(self) -> Traits:
        """What its body says of a payment. It is read when this is asked, and once."""

    @property
    def exchange(self) -> Exchange:
        """The request as it came."""

    @property
    def pays(self) -> bool:
        """Whether its endpoint is one that makes money move (a payment, its capture); for a server that does
        not know its endpoints, whether it is a POST."""

    def hit_by(self, fault: Fault) -> None:
        """Count a hit of a fault, and tell of it in the journal."""

    def error(self, status: int) -> Reply:
        """An answer of this status, with a body in the shape of the server's own errors."""

    def moved(self, reply: Reply) -> bool:
        """Whether an answer is to a payment or refund that was made, or is on its way (a bank debit)."""

    def contradiction(self, reply: Reply) -> Reply | None:
        """HTTP 200 with the opposite of what an answer says of a payment; None when it says nothing of it."""

    def slow(self, *, add_ns: int = 0, times: float = 1.0) -> None:
        """Answer later: the latency is multiplied by ``times``, then ``add_ns`` comes on top."""

    def fail(self, status: int) -> None:
        """Don't execute: answer this status, with a body in the shape of the server's own errors."""

    def reset(self) -> None:
        """Reset the connection, even if it was on hold. What has not been executed never is."""

    def hold(self, gone: Callable[[], None] | None = None) -> None:
        """Never answer, and leave the connection open. What has not been executed never is. The answers to
        requests that follow on the connection wait behind it. ``gone`` is called once when its client has
        left."""

    def transmit(self, reply: Reply, transmission: Transmission, *, keep_alive: bool = True) -> None:
        """Send the answer in the transmission's way. ``keep_alive`` false tells the client that the
        connection will be closed."""


class Inside(Protocol):
    """A request in a gateway's own hands, as far as a fault that is ``inside`` it can act on it."""

    @property
    def knows_key(self) -> bool:
        """Whether its idempotency key is known, from a request that is over."""

    def forget_key(self) -> None:
        """Let its idempotency key be one that was never used."""

    def decline(self) -> None:
        """Let the payment that it makes be declined, with the gateway's own decline."""

    def fail_later(self, reply: Reply, seconds: float) -> bool:
        """Take back the payment that this answer told of, after so many seconds of the gateway's clock: a
        chargeback, or a debit that fails late. Returns False when it told of none that could be."""


class Target(Protocol):
    """A server, as far as a fault can act on it."""

    def limit_headers(self, requests: int, resets_at: float) -> tuple[tuple[str, str], ...]:
        """The headers that tell of a rate limit of so many requests that is used up until ``resets_at``, in
        Unix seconds, besides those that its error 429 has anyway."""

    def go_dark(self, cause: str) -> int:
        """Refuse connections, reset the open ones, and end what is in flight as if the process had died.
        Returns how many connections and requests were hit."""

    def come_back(self) -> None:
        """Undo one ``go_dark``."""

    def cut_in_flight(self, chosen: Callable[[Call], bool], cause: str) -> int:
        """Reset the connections of the chosen requests in flight. Returns how many there were."""

    @property
    def server(self) -> Server | None:
        """What serves it; None where there is no socket."""


class GatewayTarget(Target, Protocol):
    """A gateway, as far as a fault that is ``inside`` it can act on it."""

    @property
    def has_tokens(self) -> bool:
        """Whether callers have to fetch an access token."""

    def forget_tokens(self) -> None:
        """Let every access token be one that was never given out."""

    def add_drift(self, drift: Drift) -> None:
        """Let money that is booked from here on drift."""

    def remove_drift(self, drift: Drift) -> None:
        """Undo ``add_drift``."""


class Fault:
    """One fault, from its start to its stop. A subclass acts at one or more moments: on the server when it
    starts and when it stops, on a request when it arrives, on what its execution came to, on its answer, and
    on the sending of it.

    Faults that are on together act on a request in the order of their plans' starts (of equal ones, of their
    ids): what slows it adds up; the first that decides what becomes of it wins, and those that would have
    decided after it neither touch it nor count a hit.

    Attributes:
        name: The wire name: what a scenario writes.
        PARAMETERS: The parameters it takes.
        decides: What it does in ``arrive`` settles what becomes of a request: it is answered, lost or held.
        late: Whether it acts on a request that it touches shows only later, so that the request is no hit
            when it arrives: the fault calls ``call.hit_by(self)`` when it acts.
        grows: With a ramp, its effect grows by ``intensity``; otherwise the share of requests that it touches
            does.
        inside: It changes what goes on inside a gateway, so nothing in front of one (a proxy) can do it, and
            its requests and its target are ``Inside`` and ``GatewayTarget``.
        scoped: It acts on requests, so that they can be chosen.
        hits: Requests and connections touched so far.
        on: It has started and not stopped; set by the schedule.
        now_ns: Reads the time since the run's epoch; set by the schedule.

    Raises:
        ValueError: The plan's parameters are wrong.
    """

    name: ClassVar[str]
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {}
    decides: ClassVar[bool] = False
    late: ClassVar[bool] = False
    grows: ClassVar[bool] = False
    inside: ClassVar[bool] = False
    scoped: ClassVar[bool] = True

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        if not self.scoped and not plan.whole:
            raise ValueError(
                f"fault {plan.id}: {self.name} acts on no requests, so none can be chosen for it"
            )
        self.plan = plan
        self.target = target
        self.hits = 0
        self.on = False
        self.params = self.parse(plan.params)
        self.now_ns: Callable[[], int] = lambda: plan.at_ns
        self._draws = Draws(seed, f"fault/{plan.id}")
        self._concerned = 0
        self._timing = plan.timing
        self._matcher = matcher_of(plan.match) if plan.match else None

    @classmethod
    def parse(cls, params: Mapping[str, Value]) -> Mapping[str, Value]:
        """The parameters with their defaults. Raises ValueError when one is unknown, or when their values
        make no sense."""
        for name in params:
            if name not in cls.PARAMETERS:
                known = ", ".join(cls.PARAMETERS) or "none"
                raise ValueError(f"fault {cls.name} has no parameter {name!r}; it takes: {known}")
        values = {name: params.get(name, known.default) for name, known in cls.PARAMETERS.items()}
        for name, value in values.items():
            check_value(cls.name, name, cls.PARAMETERS[name], value)
        cls.check(values)
        return values

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        """Whether the parameters make sense together. Raises ValueError if not."""

    @property
    def intensity(self) -> float:
        """How strong it is now, from 0 to 1; 1 without a ramp."""
        return self._timing.intensity(self.now_ns()) if self._timing.ramp_ns else 1.0

    def concerns(self, call: Call) -> bool:
        """Whether this request is within the fault's scope. A subclass narrows it to the requests on which it
        can act at all, so that its share is one of those."""
        if self.plan.endpoint is not None and call.endpoint != self.plan.endpoint:
            return False
        return self._matcher is None or self._matcher.fits(call)

    def touches(self, call: Call) -> bool:
        """Whether this request is within the fault's scope and share. The n-th request within the scope
        gets the same answer for the same seed; ask once per request."""
        if not self.concerns(call):
            return False
        number = self._concerned
        self._concerned += 1
        share = self.plan.share
        if self._timing.ramp_ns and not self.grows:
            share *= self.intensity
        return share >= 1 or self._draws.uniform(number) < share

    def start(self) -> None:
        """Act on the server when the fault starts."""

    def stop(self) -> None:
        """Undo what ``start`` did."""

    def arrive(self, call: Call) -> None:
        """Act on a touched request before anything of it is executed."""

    def executing(self, call: Call) -> Reply | None:
        """A touched request is about to be executed: what is returned stands in place of that, and is kept
        under its idempotency key like any answer."""
        return None

    def executed(self, call: Call, reply: Reply) -> Reply:
        """Act on what the execution of a touched request came to, before that is kept under its idempotency
        key; return what it came to."""
        return reply

    def answering(self, call: Call, reply: Reply) -> Reply:
        """Act on the answer of a touched request just before it is sent; return the one to send."""
        return reply

    def sending(self, call: Call, reply: Reply) -> bool:
        """Send the answer of a touched request in the fault's own way (``call.transmit``, ``call.hold`` or
        ``call.reset``). Returns whether it did: False leaves it to the next fault, and then to the server.
        What was to be executed has been."""
        return False


def within(call: Call) -> Inside:
    """The same request, for a fault that is ``inside``: such faults are on gateways only."""
    return cast(Inside, call)


def gateway_of(target: Target) -> GatewayTarget:
    """The same server, for a fault that is ``inside``."""
    return cast(GatewayTarget, target)


def check_value(fault: str, name: str, parameter: Parameter, value: Value) -> None:
    """Raises ValueError when a value cannot be of this parameter's kind."""
    kind = parameter.kind
    if kind == "text":
        if value not in parameter.choices:
            raise ValueError(f"fault {fault}: {name} must be {' or '.join(parameter.choices)}, not {value!r}")
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"fault {fault}: {name} must be a number, not {value!r}")
    if kind == "duration" and value < 0:
        raise ValueError(f"fault {fault}: {name} must not be negative")
    if kind == "share" and not 0 <= value <= 1:
        raise ValueError(f"fault {fault}: {name} must be from 0% to 100%")
    if kind == "status" and (value != int(value) or not 400 <= value <= 599):
        raise ValueError(f"fault {fault}: {name} must be an HTTP status from 400 to 599, not {value}")
    if kind == "count" and (value != int(value) or value < 0):
        raise ValueError(f"fault {fault}: {name} must be a whole number, not {value}")
