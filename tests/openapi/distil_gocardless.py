"""Facts of GoCardless' answers. GoCardless publishes no OpenAPI document; its Node SDK's types are generated from
its API's own schema and say names, types, what may be null, and enumerations. What is required they don't say.

``python -m tests.openapi.distil_gocardless FOLDER`` reads the SDK's ``types/Types.d.ts`` in its installed folder,
and writes ``facts/gocardless.json`` in the form that ``distil`` describes. The envelope of lists and of errors is
what the SDK itself reads of them (``list.meta.cursors``; ``errors.js``).
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.openapi.distil import Schema, write

RESOURCES = {
    "customers": "Customer",
    "customer_bank_accounts": "CustomerBankAccount",
    "mandates": "Mandate",
    "payments": "Payment",
    "refunds": "Refund",
    "events": "Event",
    "payouts": "Payout",
    "payout_items": "PayoutItem",
}
"""Path and envelope -> type."""

_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "errors", "documentation_url", "type", "request_id", "code"],
            "properties": {
                "message": {"type": "string"},
                "documentation_url": {"type": "string", "format": "uri"},
                "type": {
                    "type": "string",
                    "enum": ["gocardless", "invalid_api_usage", "invalid_state", "validation_failed"],
                },
                "request_id": {"type": "string"},
                "code": {"type": "integer"},
                "errors": {"type": "array", "items": {"ref": "ApiErrorEntry"}},
            },
        }
    },
}
_ENTRY: Schema = {
    "type": "object",
    "required": ["message"],
    "properties": {
        **{name: {"type": "string"} for name in ("message", "reason", "field", "request_pointer")},
        "links": {"type": "object", "values": {"type": "string"}},
    },
}
_META: Schema = {
    "type": "object",
    "required": ["cursors", "limit"],
    "properties": {
        "cursors": {
            "type": "object",
            "required": ["before", "after"],
            "properties": {name: {"type": "string", "nullable": True} for name in ("before", "after")},
        },
        "limit": {"type": "integer"},
    },
}


def types_of(text: str) -> dict[str, Schema]:
    """The types and enumerations of a declaration file, by name. What is not a plain object is left out."""
    found: dict[str, Schema] = {}
    for name, body in re.findall(r"^export declare enum (\w+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        found[name] = {"type": "string", "enum": re.findall(r'= "([^"]*)"', body)}
    for name, body in re.findall(r"^export type (\w+) = \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL):
        flat = re.sub(r"\{\s*\[key: string\]: (\w+);\s*\}", r"Record<\1>", body)
        flat = re.sub(r"/\*.*?\*/", "", flat, flags=re.DOTALL)
        properties = re.findall(r"^    (\w+)\??: ([^;]+);", flat, re.MULTILINE)
        found[name] = {"type": "object", "properties": {key: _schema(kind) for key, kind in properties}}
    return found


def _schema(kind: str) -> Schema:
    parts = [part.strip() for part in kind.split("|")]
    schema: Schema = {}
    (plain,) = [part for part in parts if part not in ("null", "undefined")]
    if plain.endswith("[]"):
        schema = {"type": "array", "items": _schema(plain[:-2])}
    elif plain in ("string", "number", "boolean"):
        schema = {"type": plain}
    elif plain.startswith("Record<"):
        schema = {"type": "object", "values": {"type": plain[7:-1]}}
    elif plain == "JsonMap":
        schema = {"type": "object"}
    elif plain not in ("any", "unknown", "object"):
        schema = {"ref": plain.removeprefix("`${").removesuffix("}`")}
    if "null" in parts:
        return {"nullable": True, "allOf": [schema]} if "ref" in schema else schema | {"nullable": True}
    return schema


def facts_of(types: dict[str, Schema]) -> dict[str, Any]:
    """The operations on ``RESOURCES`` and the schemas that they need."""
    operations: dict[str, dict[str, Schema]] = {}
    for path, name in RESOURCES.items():
        one = {"type": "object", "required": [path], "properties": {path: {"ref": name}}}
        listed = {
            "type": "object",
            "required": [path, "meta"],
            "properties": {
                path: {"type": "array", "items": {"ref": name}},
                "meta": {"ref": "ListMeta"},
                "linked": {"type": "object"},
            },
        }
        for operation, status, schema in (
            (f"GET /{path}", "200", listed),
            (f"GET /{path}/{{id}}", "200", one),
            (f"POST /{path}", "201", one),
            (f"PUT /{path}/{{id}}", "200", one),
            (f"POST /{path}/{{id}}/actions/{{action}}", "200", one),
        ):
            operations[operation] = {status: schema, "default": _ERROR}
    schemas: dict[str, Schema] = {"ApiErrorEntry": _ENTRY, "ListMeta": _META}
    wanted = list(RESOURCES.values())
    while wanted:
        name = wanted.pop()
        if name not in schemas:
            schemas[name] = types[name]
            wanted += re.findall(r'"ref": "(\w+)"', json.dumps(types[name]))
    return {"operations": operations, "schemas": dict(sorted(schemas.items()))}


def main(folder: str) -> None:
    """Distil the types of the SDK that is installed in ``folder``."""
    package = json.loads((Path(folder) / "package.json").read_text())
    text = (Path(folder) / "types" / "types" / "Types.d.ts").read_text()
    source = {"package": package["name"], "version": package["version"], "path": "types/types/Types.d.ts"}
    write("gocardless", source, facts_of(types_of(text)))


if __name__ == "__main__":
    main(*sys.argv[1:])
