"""``verdict.json``: the findings for machines, versioned; ``docs/verdict.md`` explains it.

python -m reports.render.verdict_json      prints the JSON Schema of the format
"""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from typing import Any

import orjson
from pydantic import TypeAdapter

from reports.findings import Figure, Findings

SCHEMA = "paydrill.verdict/1"
"""Name and version of the format. Fields may be added within a version; none changes its meaning or goes."""

DECIMALS = 9
"""Shares and other fractions are rounded to this many decimals."""

_FIGURES = ("detection", "failover", "recovery", "failback")


def verdict_json(findings: Findings) -> bytes:
    """The file's content: UTF-8 JSON, indented by two, keys in the order of ``Findings``, one line feed at
    the end. Of the slices only the bad ones are in it (``availability.bad_slices``), and those that were not
    observed (``availability.unobserved_slices``)."""
    data: dict[str, Any] = {"schema": SCHEMA} | asdict(findings)
    slices = data["availability"].pop("slices")
    data["availability"]["bad_slices"] = [part for part in slices if part["observed"] and not part["good"]]
    data["availability"]["unobserved_slices"] = [part for part in slices if not part["observed"]]
    for plain, fault in zip(data["faults"], findings.faults, strict=True):
        for name in _FIGURES:
            figure: Figure = getattr(fault, name)
            plain[name]["error_ns"] = figure.error_ns
    for name in ("versions", "machine"):
        data["run"][name] = dict(data["run"][name])
    return orjson.dumps(rounded(data), option=orjson.OPT_INDENT_2) + b"\n"


def rounded(value: Any) -> Any:
    """The same with its fractions rounded to ``DECIMALS``, and ``None`` for what is not finite."""
    if isinstance(value, float):
        return round(value, DECIMALS) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    return value


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the format, derived from the findings' own types."""
    schema: dict[str, Any] = TypeAdapter(Findings).json_schema(mode="serialization")
    parts = schema["$defs"]
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = SCHEMA
    schema["properties"] = {"schema": {"const": SCHEMA}} | schema["properties"]
    schema["required"] = ["schema", *schema["required"]]
    availability = parts["Availability"]
    slices = availability["properties"].pop("slices")
    availability["properties"] |= {"bad_slices": slices, "unobserved_slices": slices}
    required = [name for name in availability["required"] if name != "slices"]
    availability["required"] = ["bad_slices", "unobserved_slices", *required]
    parts["Figure"]["properties"]["error_ns"] = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    parts["Figure"]["required"].append("error_ns")
    for name in ("versions", "machine"):
        parts["Run"]["properties"][name] = {"type": "object", "additionalProperties": {"type": "string"}}
    return schema


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2).decode() + "\n")
