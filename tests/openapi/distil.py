"""Facts of a published OpenAPI document, without its words: what answers may hold.

``python -m tests.openapi.distil NAME CLONE`` reads a document of ``DOCUMENTS`` at the newest commit of a clone of
its repository, and writes ``facts/NAME.json``: for each operation that a mock serves and each status the schema of
the answer, and the schemas that these need, with property names, JSON types, formats, enumerations, what is
required and what may be null. Descriptions, titles, examples, patterns and enumerated sentences are left out.

The form of a schema: ``ref`` (a name in ``schemas``), ``type``, ``format``, ``enum``, ``nullable``, ``required``,
``properties``, ``items``, ``values`` (of a map: the schema of its values, or true) and ``allOf``, ``anyOf``,
``oneOf`` as in OpenAPI.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

Schema = dict[str, Any]

FACTS = Path(__file__).parent / "facts"
_SENTENCES = ("message", "description")


class Document(NamedTuple):
    """A published document: where it is, and the paths in it that a mock serves."""

    repository: str
    path: str
    paths: tuple[str, ...]


_PSP = "/payments/{paymentPspReference}"
_DISPUTES = "/v1/customer/disputes"
DOCUMENTS = {
    "adyen": Document(
        "Adyen/adyen-openapi",
        "json/CheckoutService-v72.json",
        (
            "/payments",
            "/payments/details",
            "/cancels",
            *(f"{_PSP}/{name}" for name in ("captures", "cancels", "refunds", "reversals", "amountUpdates")),
        ),
    ),
    "paypal_orders": Document(
        "paypal/paypal-rest-api-specifications",
        "openapi/checkout_orders_v2.json",
        tuple(
            f"/v2/checkout/orders{end}"
            for end in ("", "/{id}", "/{id}/capture", "/{id}/authorize", "/{id}/confirm-payment-source")
        ),
    ),
    "paypal_payments": Document(
        "paypal/paypal-rest-api-specifications",
        "openapi/payments_payment_v2.json",
        (
            "/v2/payments/authorizations/{authorization_id}",
            "/v2/payments/authorizations/{authorization_id}/capture",
            "/v2/payments/authorizations/{authorization_id}/void",
            "/v2/payments/captures/{capture_id}",
            "/v2/payments/captures/{capture_id}/refund",
            "/v2/payments/refunds/{refund_id}",
        ),
    ),
    "paypal_disputes": Document(
        "paypal/paypal-rest-api-specifications",
        "openapi/customer_disputes_v1.json",
        (
            _DISPUTES,
            f"{_DISPUTES}/{{id}}",
            f"{_DISPUTES}/{{id}}/provide-evidence",
            f"{_DISPUTES}/{{id}}/accept-claim",
            f"{_DISPUTES}/{{id}}/adjudicate",
            f"{_DISPUTES}/{{id}}/require-evidence",
        ),
    ),
    "paypal_webhooks": Document(
        "paypal/paypal-rest-api-specifications",
        "openapi/notifications_webhooks_v1.json",
        tuple(
            f"/v1/notifications/{end}"
            for end in (
                "webhooks",
                "webhooks/{webhook_id}",
                "verify-webhook-signature",
                "webhooks-events",
                "webhooks-events/{event_id}",
                "webhooks-events/{event_id}/resend",
                "webhooks-event-types",
            )
        ),
    ),
    "paypal_reporting": Document(
        "paypal/paypal-rest-api-specifications",
        "openapi/reporting_transactions_v1.json",
        ("/v1/reporting/transactions", "/v1/reporting/balances"),
    ),
}


def facts_of(document: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """``operations`` (method and path -> status -> schema) and the ``schemas`` that they need.

    Raises:
        KeyError: The document has no such path, or refers to a schema that it does not hold.
    """
    operations: dict[str, dict[str, Schema]] = {}
    for path in paths:
        for method, operation in document["paths"][path].items():
            if method in ("get", "post", "patch", "put", "delete"):
                operations[f"{method.upper()} {path}"] = {
                    status: _answer(document, answer) for status, answer in operation["responses"].items()
                }
    schemas: dict[str, Schema] = {}
    wanted = sorted(_references(operations))
    while wanted:
        name = wanted.pop()
        if name not in schemas:
            schemas[name] = distilled(document["components"]["schemas"][name])
            wanted += sorted(_references(schemas[name]))
    return {"operations": operations, "schemas": dict(sorted(schemas.items()))}


def distilled(schema: Schema, name: str = "") -> Schema:
    """A schema of OpenAPI 3.0 or 3.1 in the form of this module; ``name`` is the property's."""
    if "$ref" in schema:
        return {"ref": schema["$ref"].rpartition("/")[2]}
    facts: Schema = {}
    kind = schema.get("type")
    if isinstance(kind, list):
        facts["nullable"] = "null" in kind
        kind = next(one for one in kind if one != "null")
    if kind is not None:
        facts["type"] = kind
    if "format" in schema:
        facts["format"] = schema["format"]
    if schema.get("nullable"):
        facts["nullable"] = True
    if "enum" in schema and name not in _SENTENCES:
        facts["enum"] = schema["enum"]
    if schema.get("required"):
        facts["required"] = schema["required"]
    if "properties" in schema:
        facts["properties"] = {name: distilled(one, name) for name, one in schema["properties"].items()}
    if "items" in schema:
        facts["items"] = distilled(schema["items"])
    values = schema.get("additionalProperties")
    if values:
        facts["values"] = True if values is True else distilled(values)
    for group in ("allOf", "anyOf", "oneOf"):
        if group in schema:
            facts[group] = [distilled(one, name) for one in schema[group]]
    return facts


def _answer(document: dict[str, Any], answer: dict[str, Any]) -> Schema:
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content = answer.get("content", {})
    return distilled(content["application/json"]["schema"]) if "application/json" in content else {}


def _references(facts: Any) -> set[str]:
    if isinstance(facts, list):
        return {name for one in facts for name in _references(one)}
    if not isinstance(facts, dict):
        return set()
    found = {name for one in facts.values() for name in _references(one)}
    return found | {facts["ref"]} if isinstance(facts.get("ref"), str) else found


def write(name: str, source: dict[str, str], facts: dict[str, Any]) -> None:
    """Keep facts under a name."""
    text = json.dumps({"source": source, **facts}, separators=(",", ":"), ensure_ascii=False)
    (FACTS / f"{name}.json").write_text(text.replace('},"', '},\n"') + "\n")


def main(name: str, clone: str) -> None:
    """Distil one document of ``DOCUMENTS`` from a clone of its repository."""
    known = DOCUMENTS[name]

    def git(*command: str) -> str:
        return subprocess.run(
            ["git", "-C", clone, *command], check=True, capture_output=True, text=True
        ).stdout

    document = json.loads(git("show", f"HEAD:{known.path}"))
    source = {
        "repository": known.repository,
        "path": known.path,
        "version": document["info"]["version"],
        "commit": git("rev-parse", "HEAD").strip(),
    }
    write(name, source, facts_of(document, known.paths))


if __name__ == "__main__":
    main(*sys.argv[1:])
