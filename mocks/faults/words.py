"""A fault in the words of a scenario, for whoever sets it by hand: to its plan, and back.

The words are those of a scenario's ``faults`` list, with its units: ``{"fault": "latency", "for": "20s",
"match": {"currency": "EUR"}, "share": "10%", "params": {"add": "2s"}}``. Only ``fault`` is needed. There
is no ``at`` (it starts at once) and no ``on`` (the server is the one that was asked).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mocks.faults import FAULTS, FaultPlan
from mocks.faults.matcher import normalized
from mocks.faults.timing import Flap, Repeat
from mocks.units import format_duration, format_share, parameter_value, parse_duration, parse_share

DEFAULT_LIMIT = "5min"
"""How long a fault lasts that doesn't say."""

LONGEST = "1h"
"""How long a fault set by hand can last: a forgotten one ends."""

SHORTEST_NS = 10_000_000
"""What is on or off for a shorter time cannot be followed, and would keep the server busy with itself."""

WORDS = ("fault", "for", "endpoint", "match", "share", "flap", "ramp", "repeat", "params")


class WordingError(ValueError):
    """What was asked for is no fault; ``field`` names the word that is wrong, ``params.status`` say."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def plan_of(words: object, id: str, at_ns: int, endpoints: Collection[str] | None) -> FaultPlan:
    """The plan of a fault that starts at once.

    Args:
        words: As it was sent.
        id: What it will be called.
        at_ns: Now, on the run's clock.
        endpoints: Those of the server; None when any name may be one.

    Raises:
        WordingError: It is no fault.
    """
    if not isinstance(words, Mapping):
        raise WordingError("", 'a fault is an object like {"fault": "outage", "for": "20s"}')
    for word in words:
        if word not in WORDS:
            raise WordingError(str(word)[:40], f"unknown; there are {', '.join(WORDS)}")
    name = words.get("fault")
    if not isinstance(name, str) or name not in FAULTS:
        said = "is missing" if "fault" not in words else f"there is no fault {str(name)[:40]!r}"
        raise WordingError("fault", f"{said}; the faults are {', '.join(FAULTS)}")
    endpoint = words.get("endpoint")
    if endpoint is not None and (not isinstance(endpoint, str) or not _has(endpoints, endpoint)):
        known = f"; there are {', '.join(endpoints)}" if endpoints is not None else ""
        raise WordingError("endpoint", f"there is no endpoint {str(endpoint)[:80]!r}{known}")
    limit = parse_duration(LONGEST)
    try:
        plan = FaultPlan(
            id,
            name,
            at_ns,
            _lasting("for", words.get("for", DEFAULT_LIMIT)),
            endpoint,
            _share(words.get("share")),
            _params(name, words.get("params")),
            match=_match(words.get("match")),
            flap=_flap(words.get("flap")),
            ramp_ns=_duration("ramp", words.get("ramp", "0s")),
            repeat=_repeat(words.get("repeat")),
        )
    except WordingError:
        raise
    except ValueError as error:
        raise WordingError("fault", str(error)) from error
    if plan.timing.end_ns - at_ns > limit:
        field = "for" if plan.repeat is None else "repeat"
        raise WordingError(field, f"a fault set by hand is over after {LONGEST} at most")
    return plan


def words_of(plan: FaultPlan) -> dict[str, Any]:
    """A plan in words, without the defaults; ``plan_of`` makes the same fault of them."""
    kinds = {name: parameter.kind for name, parameter in FAULTS[plan.fault].PARAMETERS.items()}
    words: dict[str, Any] = {"fault": plan.fault, "for": format_duration(plan.for_ns)}
    if plan.endpoint is not None:
        words["endpoint"] = plan.endpoint
    if plan.match:
        words["match"] = {trait: list(values) for trait, values in plan.match.items()}
    if plan.share < 1:
        words["share"] = format_share(plan.share)
    if plan.flap is not None:
        words["flap"] = {
            "on": format_duration(plan.flap.on_ns),
            "off": format_duration(plan.flap.off_ns),
        }
    if plan.ramp_ns:
        words["ramp"] = format_duration(plan.ramp_ns)
    if plan.repeat is not None:
        words["repeat"] = {"every": format_duration(plan.repeat.every_ns), "times": plan.repeat.times}
    if plan.params:
        words["params"] = {name: parameter_text(kinds[name], value) for name, value in plan.params.items()}
    return words


def _has(endpoints: Collection[str] | None, endpoint: str) -> bool:
    return endpoints is None or endpoint in endpoints


def _duration(word: str, value: object) -> int:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise WordingError(word, str(error)) from error


def _lasting(word: str, value: object) -> int:
    ns = _duration(word, value)
    if ns < SHORTEST_NS:
        raise WordingError(word, f"must be {format_duration(SHORTEST_NS)} or longer, not {value}")
    return ns


def _match(given: object) -> Mapping[str, tuple[str, ...]]:
    if given is None:
        return {}
    values = given.values() if isinstance(given, Mapping) else (None,)
    if not isinstance(given, Mapping) or not all(isinstance(value, str | list) for value in values):
        raise WordingError(
            "match", 'must be an object like {"currency": "EUR"} or {"currency": ["EUR", "USD"]}'
        )
    try:
        return normalized(given)
    except ValueError as error:
        raise WordingError("match", str(error).removeprefix("match: ")) from error


def _flap(given: object) -> Flap | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or set(given) != {"on", "off"}:
        raise WordingError("flap", 'must be an object like {"on": "2s", "off": "3s"}')
    return Flap(_lasting("flap.on", given["on"]), _lasting("flap.off", given["off"]))


def _repeat(given: object) -> Repeat | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or set(given) != {"every", "times"}:
        raise WordingError("repeat", 'must be an object like {"every": "1min", "times": 3}')
    times = given["times"]
    if isinstance(times, bool) or not isinstance(times, int):
        raise WordingError("repeat.times", f"must be a whole number, not {str(times)[:40]!r}")
    every_ns = _duration("repeat.every", given["every"])
    try:
        return Repeat(every_ns, times)
    except ValueError as error:
        raise WordingError("repeat", str(error).removeprefix("repeat: ")) from error


def _share(value: object) -> float:
    try:
        share = 1.0 if value is None else parse_share(value)
    except ValueError as error:
        raise WordingError("share", str(error)) from error
    if not share:
        raise WordingError("share", "a fault that touches 0% of requests is none")
    return share


def _params(name: str, given: object) -> dict[str, Any]:
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise WordingError("params", 'must be an object like {"status": 503}')
    known = FAULTS[name].PARAMETERS
    values = {}
    for key, value in given.items():
        if key not in known:
            there = f"it takes {', '.join(known)}" if known else "it takes none"
            raise WordingError(f"params.{str(key)[:40]}", f"fault {name} has no such parameter; {there}")
        try:
            values[key] = parameter_value(known[key].kind, value)
        except ValueError as error:
            raise WordingError(f"params.{key}", str(error)) from error
    try:
        FAULTS[name].parse(values)
    except ValueError as error:
        raise WordingError("params", str(error).removeprefix(f"fault {name}: ")) from error
    return values


def parameter_text(kind: str, value: Any) -> Any:
    """A parameter as a scenario has it: durations and shares with their units, the rest as it is."""
    if kind == "duration":
        return format_duration(value)
    return format_share(value) if kind == "share" else value
