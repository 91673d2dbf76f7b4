"""Facts of Stripe's answers, from its Python SDK and from its published OpenAPI document.

The classes of the SDK are generated from the document of the API version that the mock speaks; their annotations
say names, types, enumerations and what may be missing or null. Which of those properties are always there (null or
not) they don't say: ``required`` of the objects themselves is that of a published document of 2023, as far as the
SDK still has the property. (Newer documents are larger than what could be had when this was written.)

``python -m tests.openapi.distil_stripe CLONE COMMIT`` reads the installed SDK and ``openapi/spec3.yaml`` of that
commit in a clone of the document's repository, and writes ``facts/stripe.json`` in the form that ``distil``
describes. Inner classes are named by their path: ``Charge.Outcome``.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import stripe
import yaml

from tests.openapi.distil import Schema, write

OBJECTS = {
    "PaymentIntent": "payment_intent",
    "Charge": "charge",
    "Refund": "refund",
    "Customer": "customer",
    "PaymentMethod": "payment_method",
    "Balance": "balance",
    "BalanceTransaction": "balance_transaction",
    "Dispute": "dispute",
    "Payout": "payout",
    "WebhookEndpoint": "webhook_endpoint",
    "Event": "event",
    "EarlyFraudWarning": "radar.early_fraud_warning",
    "ErrorObject": "",
}
"""Class -> its schema in the document, and the module of the class."""

_ONLY = {
    "PaymentMethod": ("Card", "SepaDebit", "BillingDetails"),
    "Charge.PaymentMethodDetails": ("Card", "SepaDebit"),
    "PaymentIntent.PaymentMethodOptions": ("Card", "SepaDebit"),
    "PaymentIntent.NextAction": ("RedirectToUrl", "UseStripeSdk"),
}
"""Of a class with one inner class for each method of payment: those that a mock answers with. The properties of
the others are left out, too."""

_PLAIN = {"str": "string", "int": "integer", "bool": "boolean", "float": "number", "Decimal": "number"}


class Annotations:
    """The annotations of the SDK's classes, as schemas by name."""

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}

    def add(self, node: ast.ClassDef, path: str) -> None:
        """A class and those inside of it."""
        inner = {one.name: one for one in node.body if isinstance(one, ast.ClassDef)}
        kept = _ONLY.get(path)
        properties: dict[str, Schema] = {}
        required = []
        for one in node.body:
            if not isinstance(one, ast.AnnAssign) or not isinstance(one.target, ast.Name):
                continue
            name, annotation = one.target.id, one.annotation
            named = {part.id for part in ast.walk(annotation) if isinstance(part, ast.Name)} & set(inner)
            if name.startswith("_") or "ClassVar" in ast.dump(annotation):
                continue
            if kept is not None and named - set(kept):
                continue
            properties[name] = self._schema(annotation, path, set(inner))
            if not properties[name].get("nullable"):
                required.append(name)
        schema: Schema = {"type": "object", "properties": properties}
        self.schemas[path] = schema | ({"required": required} if required else {})
        for name, one_class in inner.items():
            if not name.endswith("Params") and (kept is None or name in kept):
                self.add(one_class, f"{path}.{name}")

    def _schema(self, node: ast.expr, path: str, inner: set[str]) -> Schema:
        if isinstance(node, ast.Constant):
            return self._named(str(node.value), path, inner)
        if isinstance(node, ast.Name):
            return self._named(node.id, path, inner)
        if isinstance(node, ast.Attribute):
            return {}
        assert isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name), ast.dump(node)
        outer, within = node.value.id, node.slice
        if outer == "Optional":
            schema = self._schema(within, path, inner)
            return {"nullable": True, **({"allOf": [schema]} if "ref" in schema else schema)}
        if outer == "Literal":
            parts = within.elts if isinstance(within, ast.Tuple) else [within]
            return {
                "type": "string",
                "enum": [part.value for part in parts if isinstance(part, ast.Constant)],
            }
        if outer in ("List", "list"):
            return {"type": "array", "items": self._schema(within, path, inner)}
        if outer in ("UntypedStripeObject", "Dict", "dict"):
            return {"type": "object", "values": True}
        if outer == "ListObject":
            return _listed(self._schema(within, path, inner))
        if outer == "ExpandableField":
            return {"anyOf": [{"type": "string"}, self._schema(within, path, inner)]}
        assert outer == "Union" and isinstance(within, ast.Tuple), ast.dump(node)
        schemas = [self._schema(part, path, inner) for part in within.elts]
        # "one of these, or any text" is for SDKs older than the API; this one is as old as the mock.
        closed = [schema for schema in schemas if "enum" in schema]
        return closed[0] if closed and {"type": "string"} in schemas else {"anyOf": schemas}

    def _named(self, name: str, path: str, inner: set[str]) -> Schema:
        if name in _PLAIN:
            return {"type": _PLAIN[name]}
        if name in inner:
            return {"ref": f"{path}.{name}"}
        return {"ref": name} if name in OBJECTS or "." in name else {"type": "object"}


def _listed(item: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["object", "url", "has_more", "data"],
        "properties": {
            "object": {"type": "string", "enum": ["list", "search_result"]},
            "url": {"type": "string"},
            "has_more": {"type": "boolean"},
            "next_page": {"type": "string", "nullable": True},
            "data": {"type": "array", "items": item},
        },
    }


def facts_of(folder: Path, required: dict[str, list[str]]) -> dict[str, Any]:
    """``folder`` is the SDK's package; ``required`` are properties by class, as a document has them."""
    annotations = Annotations()
    for name in OBJECTS:
        package, _, module = (OBJECTS[name] or "error_object").rpartition(".")
        for node in ast.parse((folder / package / f"_{module}.py").read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                annotations.add(node, name)
    schemas = annotations.schemas
    for name, wanted in required.items():
        schema = schemas[name]
        known = [one for one in wanted if one in schema["properties"]]
        schema["required"] = sorted({*schema.get("required", ()), *known})
    schemas["Error"] = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"ref": "ErrorObject"}},
    }
    used = _reached({"anyOf": [{"ref": name} for name in ("Error", *OBJECTS)]}, schemas)
    return {"schemas": {name: schemas[name] for name in sorted(used)}}


def _reached(schema: Any, schemas: dict[str, Schema]) -> set[str]:
    found: set[str] = set()
    todo = [schema]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            name = one.get("ref")
            if isinstance(name, str) and name not in found:
                found.add(name)
                todo.append(schemas[name])
            todo += one.values()
        elif isinstance(one, list):
            todo += one
    return found


def main(clone: str, commit: str) -> None:
    """Distil the installed SDK, and the document of one commit."""
    path = "openapi/spec3.yaml"
    command = ["git", "-C", clone, "show", f"{commit}:{path}"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    published = document["components"]["schemas"]
    required = {name: published[schema]["required"] for name, schema in OBJECTS.items() if schema}
    source = {
        "package": "stripe",
        "version": stripe.VERSION,
        "api": stripe.api_version or "",
        "repository": "stripe/openapi",
        "path": path,
        "commit": commit,
        "document": document["info"]["version"],
    }
    write("stripe", source, facts_of(Path(stripe.__file__).parent, required))


if __name__ == "__main__":
    main(*sys.argv[1:])
