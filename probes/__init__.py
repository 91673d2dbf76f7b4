"""The probes: small, regular looks at a target from outside, each written down with its due time.

``PROBES`` is the registry of probe types; to add one, write ``probes/<name>.py`` with a coroutine function
``probe(attempt)`` and enter it here. Importing this package loads no HTTP library.
"""

from __future__ import annotations

from probes.probe import Parameter, ProbeType

PROBES: dict[str, ProbeType] = {
    kind.name: kind
    for kind in (
        ProbeType(
            name="http",
            about="GETs a URL and checks the status, the body and the time it took",
            parameters={
                "status": Parameter("count", 200, "the status that the answer must have", 100, 599),
                "contains": Parameter("text", None, "a text that the body must contain (first MiB)"),
                "within": Parameter("duration", None, "the longest time that the whole answer may take", 1),
                "reuse_connection": Parameter(
                    "flag", False, "keep the connection; this hides a listener that is gone"
                ),
            },
        ),
        ProbeType(
            name="payment",
            about="makes a small payment through the platform, verifies it and refunds it",
            parameters={
                "amount_minor": Parameter("count", 100, "the amount, in the currency's minor unit", 1),
                "currency": Parameter("text", "EUR", "the currency, as an ISO 4217 code"),
                "method": Parameter("text", "card", "the payment method"),
                "instrument": Parameter("text", "card_visa", "the vaulted instrument that pays"),
            },
        ),
    )
}
"""Probe type by name."""
