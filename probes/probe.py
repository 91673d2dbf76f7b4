"""What a probe is: a coroutine function that looks at a target once and says what it found."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from journal.records import ProbeOutcome
    from probes.wire import Wire

Value = int | str | bool | None

Phase = Literal["connect", "send", "answer", "verify", "refund", "schedule", "prober"]
"""The step in which a probe ended that is not ``ok``. ``connect``, ``send`` and ``answer`` are the request's
own; ``verify`` is the judgement of an answer, ``refund`` the second call of the payment probe. In
``schedule`` and ``prober`` the prober itself was the reason: they say nothing of the target."""

PROBER_PHASES: frozenset[str] = frozenset({"schedule", "prober"})

Cleanup = Callable[[], Awaitable[str]]
"""One try to put right what a probe may have left behind. Returns an empty text when nothing is left, else
what is left and why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found. ``cleanup`` is there when the probe may have left something behind."""

    outcome: ProbeOutcome
    phase: Phase | None = None
    detail: str = ""
    cleanup: Cleanup | None = None

    @property
    def of_target(self) -> bool:
        """Whether it says something of the target, rather than of the prober."""
        return self.phase not in PROBER_PHASES


OK = Finding("ok")


def failed(phase: Phase, detail: str, cleanup: Cleanup | None = None) -> Finding:
    """The target did not do what it should."""
    return Finding("fail", phase, detail, cleanup)


def unknown(phase: Phase, detail: str, cleanup: Cleanup | None = None) -> Finding:
    """It cannot be told whether the target did what it should."""
    return Finding("unknown", phase, detail, cleanup)


@dataclass(slots=True)
class Attempt:
    """One run of a probe: what the probe function is given.

    Attributes:
        url: The target.
        params: Every parameter of the probe type, with defaults filled in.
        wire: Sends requests.
        order_id: A name that no other attempt has, of the run and of all runs: ``probe-<run>-<n>``.
        deadline: When the probe has to give up, in seconds on the event loop's clock (``loop.time()``).
        exposure: What would be left behind if the probe were stopped at this moment; kept by the probe
            function, empty when nothing would be.
    """

    url: str
    params: Mapping[str, Value]
    wire: Wire
    order_id: str
    deadline: float
    exposure: str = ""


ProbeFunction = Callable[[Attempt], Awaitable[Finding]]

Kind = Literal["count", "text", "duration", "flag"]
_TYPES: dict[Kind, type] = {"count": int, "text": str, "duration": int, "flag": bool}
_WORDS: dict[Kind, str] = {
    "count": "a whole number",
    "text": "a text",
    "duration": "a duration in nanoseconds",
    "flag": "true or false",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a probe type.

    Attributes:
        kind: ``count`` and ``duration`` (nanoseconds) are ``int``, ``text`` is ``str``, ``flag`` is ``bool``.
        default: The value when it is not given; ``None`` means that it is off.
        about: What it does, in a line.
        least: The smallest ``count`` or ``duration`` that is allowed.
        most: The largest one.
    """

    kind: Kind
    default: Value
    about: str
    least: int = 0
    most: int | None = None

    def complaint(self, value: object) -> str | None:
        """What is wrong with a value, or ``None``."""
        if value is None and self.default is None:
            return None
        # bool is a subclass of int, and `status: true` is a slip.
        if not isinstance(value, _TYPES[self.kind]) or (isinstance(value, bool) and self.kind != "flag"):
            return f"must be {_WORDS[self.kind]}, not {value!r}"
        if isinstance(value, int) and not isinstance(value, bool):
            if value < self.least:
                return f"must be at least {self.least}, not {value}"
            if self.most is not None and value > self.most:
                return f"must be at most {self.most}, not {value}"
        return None


@dataclass(frozen=True, slots=True)
class ProbeType:
    """An entry of the registry.

    The probe function stands in ``probes/<name>.py`` under the name ``probe``; it is imported when it is
    first asked for, so that names and parameters can be checked without an HTTP library.
    """

    name: str
    about: str
    parameters: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))

    def complete(self, params: Mapping[str, object]) -> Mapping[str, Value]:
        """The parameters with defaults filled in.

        Raises:
            ValueError: A name is not known, or a value is not allowed.
        """
        for name, value in params.items():
            parameter = self.parameters.get(name)
            if parameter is None:
                near = difflib.get_close_matches(name, self.parameters, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(self.parameters)}"
                raise ValueError(f"probe {self.name} has no parameter {name}{hint}")
            complaint = parameter.complaint(value)
            if complaint:
                raise ValueError(f"probe {self.name}: {name} {complaint}")
        defaults = {name: parameter.default for name, parameter in self.parameters.items()}
        return MappingProxyType({**defaults, **cast(Mapping[str, Value], params)})

    def function(self) -> ProbeFunction:
        """The coroutine function that runs the probe once."""
        return cast(ProbeFunction, importlib.import_module(f"probes.{self.name}").probe)
