"""The reference of all scenario keys, written from the schema itself so that it cannot go stale.

``python -m scenarios.reference`` prints ``docs/scenarios.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

from pydantic import BaseModel, PlainSerializer
from pydantic.fields import FieldInfo

from mocks.faults import FAULTS, PROCESS_FAULTS, Fault, ProcessFault
from mocks.gateways import GATEWAYS
from probes import PROBES
from scenarios import load, schema, stage
from scenarios.quantities import format_share

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The scenario", schema.Scenario),
    ("platform", schema.Platform),
    ("platform.reference", schema.ReferencePlatform),
    ("gateways.NAME", schema.Gateway),
    ("gateways.NAME.latency", schema.Latency),
    ("gateways.NAME.sandbox", schema.Sandbox),
    ("load", load.Load),
    ("load.arrivals, each", stage.Stage),
    ("load.arrivals, each: steps", stage.Steps),
    ("load.arrivals, each: spike", stage.Spike),
    ("load.arrivals, each: sine", stage.Sine),
    ("load.users", load.Users),
    ("load.users.tasks", load.Tasks),
    ("faults, each", schema.Fault),
    ("faults, each: flap", schema.Flap),
    ("faults, each: repeat", schema.Repeat),
    ("probes, each", schema.Probe),
    ("maintenance, each", schema.Window),
    ("objectives", schema.Objectives),
    ("objectives.monthly_uptime", schema.MonthlyUptime),
)


def text() -> str:
    """The whole page, as Markdown."""
    return "\n".join(_lines()).replace("``", "`") + "\n"


def _lines() -> Iterator[str]:
    yield "# Every key of a scenario"
    yield ""
    yield "Written by `python -m scenarios.reference` from the schema; a test keeps it up to date."
    for title, section in _SECTIONS:
        yield from (
            "",
            f"## {title}",
            "",
            " ".join((section.__doc__ or "").split("\n\n")[0].split()),
            "",
        )
        yield from ("| key | default | what it is |", "| --- | --- | --- |")
        for name, field in section.model_fields.items():
            yield f"| `{field.alias or name}` | {_default(field)} | {field.description or _plain(name)} |"
    yield from ("", "## Gateways", "", "| name | endpoints that a fault can be scoped to |", "| --- | --- |")
    for gateway in GATEWAYS.values():
        yield f"| `{gateway.name}` | {', '.join(f'`{endpoint}`' for endpoint in gateway.endpoints)} |"
    yield from ("", "## Faults", "", "| fault | parameters | what it does |", "| --- | --- | --- |")
    faults: dict[str, type[Fault] | type[ProcessFault]] = {**FAULTS, **PROCESS_FAULTS}
    for fault in faults.values():
        about = " ".join((fault.__doc__ or "").split("\n\n")[0].split())
        yield f"| `{fault.name}` | {_parameters(fault.PARAMETERS)} | {about} |"
    yield from ("", "## Probes", "", "| probe | parameters | what it does |", "| --- | --- | --- |")
    for probe in PROBES.values():
        yield f"| `{probe.name}` | {_parameters(probe.parameters)} | {probe.about} |"


def _plain(name: str) -> str:
    return f"see {name} below"


def _parameters(parameters: Any) -> str:
    return "; ".join(f"`{name}`: {parameter.about}" for name, parameter in parameters.items()) or "none"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ((), {}, ""):
        return "none"
    if isinstance(value, BaseModel):
        plain: Any = value.model_dump(mode="json", by_alias=True, exclude_none=True)
        return f"`{_flow(plain)}`"
    if isinstance(value, dict):
        return f"`{_flow({key: format_share(share) for key, share in value.items()})}`"
    written = next((item.func for item in field.metadata if isinstance(item, PlainSerializer)), str)
    return f"`{cast(Callable[[Any], str], written)(value)}`"


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    return str(value)


if __name__ == "__main__":
    sys.stdout.write(text())
