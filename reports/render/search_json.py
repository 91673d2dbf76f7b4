"""``search.json``: what a search for the peak found, for machines, versioned.

python -m reports.render.search_json      prints the JSON Schema of the format
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import orjson
from pydantic import TypeAdapter

from reports.peak_findings import PeakFindings
from reports.render.verdict_json import rounded

SCHEMA = "paydrill.search/1"
"""Name and version of the format. Fields may be added within a version; none changes its meaning or goes."""


def search_json(found: PeakFindings) -> bytes:
    """The file's content: UTF-8 JSON, indented by two, keys in the order of ``PeakFindings``, one line feed
    at the end."""
    data: dict[str, Any] = {"schema": SCHEMA} | asdict(found)
    for name in ("versions", "machine"):
        data[name] = dict(data[name])
    return orjson.dumps(rounded(data), option=orjson.OPT_INDENT_2) + b"\n"


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the format, derived from the findings' own types."""
    schema: dict[str, Any] = TypeAdapter(PeakFindings).json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = SCHEMA
    schema["properties"] = {"schema": {"const": SCHEMA}} | schema["properties"]
    schema["required"] = ["schema", *schema["required"]]
    for name in ("versions", "machine"):
        schema["properties"][name] = {"type": "object", "additionalProperties": {"type": "string"}}
    return schema


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2).decode() + "\n")
