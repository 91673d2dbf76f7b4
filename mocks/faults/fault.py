"""What a fault is: a plan (what, when, on which requests) and a class that acts on a server or a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from mocks.draws import Draws
from mocks.reply import Reply

Kind = Literal["duration", "share", "status", "number"]
"""What a parameter is measured in: ``duration`` in ns (int), ``share`` from 0 to 1 (float), ``status`` an
HTTP status (int), ``number`` a float."""

Value = int | float


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a fault. ``default`` is in the unit of its kind; ``about`` says what it does."""

    kind: Kind
    default: Value
    about: str


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """One fault of a scenario, for one target.

    Attributes:
        id: Tells two faults of one name apart (``f1``, ``f2``, ... in the scenario's order).
        fault: The name of its class.
        at_ns: Start, in ns since the run's epoch.
        for_ns: How long it lasts, in ns.
        endpoint: The only endpoint it concerns (``payment_intents.create``); None for all.
        share: The share of requests that it touches, drawn per request.
        params: The fault's own parameters, each in the unit of its kind.
    """

    id: str
    fault: str
    at_ns: int
    for_ns: int
    endpoint: str | None = None
    share: float = 1.0
    params: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.for_ns <= 0:
            raise ValueError(f"fault {self.id}: it must last longer than {self.for_ns} ns")
        if not 0 < self.share <= 1:
            raise ValueError(f"fault {self.id}: its share must be above 0 and at most 1, not {self.share}")

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> FaultPlan:
        """The plan as it stands in a process's plan. Raises ValueError if it is not one."""
        try:
            return cls(**message)
        except TypeError as error:
            raise ValueError(f"a fault's plan cannot be read: {error}") from error

    def message(self) -> dict[str, Any]:
        """The plan as ``from_message`` takes it."""
        return asdict(self) | {"params": dict(self.params)}


class Call(Protocol):
    """A request in a server's hands, as far as a fault can act on it."""

    endpoint: str

    def slow(self, *, add_ns: int = 0, times: float = 1.0) -> None:
        """Answer later: the latency is multiplied by ``times``, then ``add_ns`` comes on top."""

    def fail(self, status: int) -> None:
        """Don't execute: answer this status, with a body in the shape of the server's own errors."""

    def reset(self) -> None:
        """Don't execute: reset the connection."""


class Target(Protocol):
    """A server, as far as a fault can act on it."""

    def go_dark(self, cause: str) -> int:
        """Refuse connections, reset the open ones, and end what is in flight as if the process had died.
        Returns how many connections and requests were hit."""

    def come_back(self) -> None:
        """Undo one ``go_dark``."""

    def cut_in_flight(self, chosen: Callable[[Call], bool], cause: str) -> int:
        """Reset the connections of the chosen requests in flight. Returns how many there were."""


class Fault:
    """One fault, from its start to its stop. A subclass acts at one or more of four moments: on the server
    when it starts and when it stops, on a request before it is executed, and on its answer.

    Attributes:
        name: The wire name: what a scenario writes.
        PARAMETERS: The parameters it takes.
        hits: Requests and connections touched so far.

    Raises:
        ValueError: The plan's parameters are wrong.
    """

    name: ClassVar[str]
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {}

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        self.plan = plan
        self.target = target
        self.hits = 0
        self.params = self.parse(plan.params)
        self._draws = Draws(seed, f"fault/{plan.id}")
        self._concerned = 0

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
            check_value(cls.name, name, cls.PARAMETERS[name].kind, value)
        cls.check(values)
        return values

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        """Whether the parameters make sense together. Raises ValueError if not."""

    def touches(self, call: Call) -> bool:
        """Whether this request is within the fault's scope and share. The n-th request within the scope
        gets the same answer for the same seed; ask once per request."""
        if self.plan.endpoint is not None and call.endpoint != self.plan.endpoint:
            return False
        number = self._concerned
        self._concerned += 1
        return self.plan.share >= 1 or self._draws.uniform(number) < self.plan.share

    def start(self) -> None:
        """Act on the server when the fault starts."""

    def stop(self) -> None:
        """Undo what ``start`` did."""

    def arrive(self, call: Call) -> None:
        """Act on a touched request before anything of it is executed."""

    def answering(self, call: Call, reply: Reply) -> Reply:
        """Act on the answer of a touched request just before it is sent; return the one to send."""
        return reply


def check_value(fault: str, name: str, kind: Kind, value: Value) -> None:
    """Raises ValueError when a value cannot be of this kind."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"fault {fault}: {name} must be a number, not {value!r}")
    if kind == "duration" and value < 0:
        raise ValueError(f"fault {fault}: {name} must not be negative")
    if kind == "share" and not 0 <= value <= 1:
        raise ValueError(f"fault {fault}: {name} must be from 0% to 100%")
    if kind == "status" and (value != int(value) or not 400 <= value <= 599):
        raise ValueError(f"fault {fault}: {name} must be an HTTP status from 400 to 599, not {value}")
