"""Parameters of faults and probes, as a scenario writes them and as their fault or probe wants them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Protocol

from mocks.units import parameter_value as parameter_value
from scenarios.document import Path as Place
from scenarios.finding import Finding, nearest


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
