"""Parameters of faults and probes, as a scenario writes them and as their fault or probe wants them."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Protocol

from scenarios.document import Path as Place
from scenarios.finding import Finding, nearest
from scenarios.quantities import parse_duration, parse_share


class _Parameter(Protocol):
    """What the registries of faults and probes have in common."""

    @property
    def kind(self) -> str: ...


def parameter_findings(
    place: Place, given: Mapping[str, Any], known: Mapping[str, _Parameter]
) -> Generator[Finding, None, dict[str, Any] | None]:
    """Findings about parameters; returns the values as their fault or probe wants them, if all are sound."""
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            hint = nearest(key, known) if known else "it has no parameters"
            yield Finding((*place, key), f"unknown parameter {key!r}", hint)
            continue
        try:
            values[key] = parameter_value(known[key].kind, value)
        except ValueError as error:
            yield Finding((*place, key), str(error))
    return values if len(values) == len(given) else None


def complaint(
    place: Place, parse: Callable[[dict[str, Any]], object], values: dict[str, Any]
) -> Iterator[Finding]:
    """What the fault or probe itself has to say of the values together."""
    try:
        parse(values)
    except ValueError as error:
        yield Finding(place, str(error))


def parameter_value(kind: str, value: object) -> Any:
    """A parameter as its fault or probe wants it: durations in ns, shares as parts of 1, the rest as it is.

    Raises:
        ValueError: It is not of that kind.
    """
    if kind == "duration":
        return parse_duration(value)
    if kind == "share":
        return parse_share(value)
    if kind == "status":
        if isinstance(value, bool) or not isinstance(value, int) or not 400 <= value <= 599:
            raise ValueError("must be an HTTP error status, 400 to 599")
        return value
    wanted: dict[str, tuple[type | tuple[type, ...], str]] = {
        "number": ((int, float), "a number"),
        "count": (int, "a whole number"),
        "text": (str, "a text"),
        "flag": (bool, "true or false"),
    }
    types, words = wanted[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "flag"):
        raise ValueError(f"must be {words}")
    if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
        raise ValueError("must be 0 or more")
    return value
