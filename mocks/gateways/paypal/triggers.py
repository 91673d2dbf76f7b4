"""What makes the mock say no: payer names and the header ``PayPal-Mock-Response``.

The names and their processor response codes are those of PayPal's pages "Card testing" and "Negative
testing". There they work for cards, as first name or name on the card; here they work for PayPal wallets,
since that is the only payment source of this mock.
"""

from __future__ import annotations

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
"""Given name of the payer (case-sensitive) -> ``processor_response.response_code``. The payment is then
declined within an order that is COMPLETED."""


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
