"""What makes the mock take another way: payer names and the header ``PayPal-Mock-Response``.

``PAYER_NAMES`` and their processor response codes are those of PayPal's pages "Card testing" and "Negative
testing". There they work for cards, as first name or name on the card; here they work for every payment
source. PayPal documents no names that make a payment wait or be disputed (in its sandbox a person does that
by hand): ``PENDING_NAMES`` and ``DISPUTE_NAMES`` are this mock's own.
"""

from __future__ import annotations

from typing import NamedTuple

import orjson

from mocks.gateways.paypal.errors import ISSUES

PAYER_NAMES = {
    "CCREJECT-REFUSED": "0500",
    "CCREJECT-SF": "9500",
    "CCREJECT-EC": "5400",
    "CCREJECT-IRC": "5180",
    "CCREJECT-IF": "5120",
    "CCREJECT-LS": "9520",
    "CCREJECT-IA": "1330",
    "CCREJECT-BANK_ERROR": "5100",
    "CCREJECT-CVV_F": "00N7",
}
"""Given name of the payer, or name on the card (case-sensitive) -> ``processor_response.response_code``. The
payment is then declined within an order that is COMPLETED."""


GENERIC_DECLINE = PAYER_NAMES["CCREJECT-REFUSED"]
"""The response code that gives no reason."""


class Review(NamedTuple):
    """A capture waits: ``reason`` stands in its ``status_details``, ``accepted`` is how it ends."""

    reason: str
    accepted: bool


PENDING_NAMES = {
    "PENDING-REVIEW": Review("PENDING_REVIEW", True),
    "PENDING-REVIEW-DENIED": Review("PENDING_REVIEW", False),
    "PENDING-ECHECK": Review("ECHECK", True),
    "PENDING-ECHECK-DENIED": Review("ECHECK", False),
}
"""The same name -> how a capture waits; the mock's own."""

DISPUTE_NAMES = {
    "DISPUTE-NOT-RECEIVED": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
    "DISPUTE-NOT-AS-DESCRIBED": "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED",
    "DISPUTE-UNAUTHORISED": "UNAUTHORISED",
}
"""The same name -> the reason for which the payer disputes the capture as soon as it is completed; the mock's
own."""

WINNING_EVIDENCE = "winning_evidence"
LOSING_EVIDENCE = "losing_evidence"
"""In the notes of an evidence: the dispute is decided at once, for or against the seller; the mock's own."""


def mock_issue(header: str) -> str:
    """The issue that a ``PayPal-Mock-Response`` header asks for; empty when it asks for none that is known:
    then the actual response is given.

    The value is JSON: ``{"mock_application_codes": "INSTRUMENT_DECLINED"}``.
    """
    try:
        asked = orjson.loads(header)
    except orjson.JSONDecodeError:
        return ""
    issue = asked.get("mock_application_codes") if isinstance(asked, dict) else None
    return issue if isinstance(issue, str) and issue in ISSUES else ""
