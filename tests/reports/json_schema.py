"""Whether JSON fits its schema; of JSON Schema only what ours uses."""

from __future__ import annotations


def misfits(
    value: object, schema: dict[str, object], parts: dict[str, dict[str, object]], where: str
) -> list[str]:
    """What in a value does not fit its schema, a line each. ``parts`` are the schema's ``$defs``."""
    known = {"$ref", "anyOf", "type", "properties", "required", "items", "prefixItems", "enum", "const",
             "additionalProperties", "minItems", "maxItems", "title", "description", "$defs", "$schema"}  # fmt: skip
    assert set(schema) <= known, set(schema) - known
    if "$ref" in schema:
        return misfits(value, parts[str(schema["$ref"]).split("/")[-1]], parts, where)
    if "anyOf" in schema:
        options: list[dict[str, object]] = schema["anyOf"]  # type: ignore[assignment]
        return (
            [] if any(not misfits(value, one, parts, where) for one in options) else [f"{where}: {value!r}"]
        )
    if "const" in schema or "enum" in schema:
        allowed = schema.get("enum", [schema.get("const")])
        return [] if value in allowed else [f"{where}: {value!r}"]  # type: ignore[operator]
    kinds = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
        "array": list,
        "object": dict,
    }
    if not isinstance(value, kinds[str(schema["type"])]):  # type: ignore[arg-type]
        return [f"{where}: {value!r} is no {schema['type']}"]
    wrong = []
    if isinstance(value, dict) and "properties" in schema:
        properties: dict[str, dict[str, object]] = schema["properties"]  # type: ignore[assignment]
        wrong += [f"{where}.{name} is missing" for name in schema["required"] if name not in value]  # type: ignore[attr-defined]
        wrong += [f"{where}.{name} is not in the schema" for name in value if name not in properties]
        for name in set(value) & set(properties):
            wrong += misfits(value[name], properties[name], parts, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        items: dict[str, object] = schema["items"]  # type: ignore[assignment]
        for at, part in enumerate(value):
            wrong += misfits(part, items, parts, f"{where}[{at}]")
    return wrong
