"""The bank debit schemes, one per currency, and what their banks say when money does not come or goes back.

Second-hand: the pairs of cause and reason code, from the published lists of event causes.
"""

from __future__ import annotations

from typing import NamedTuple


class Scheme(NamedTuple):
    """One scheme.

    Attributes:
        name: The ``scheme`` of mandates.
        currency: The only currency that it collects.
        with_first_payment: Its mandates are submitted and activated with their first payment (documented at
            the scenario simulators), so that ``mandate_activated`` does not go with it.
        failure: Cause and reason code of a payment that failed.
        chargeback: Cause and reason code of a payment that its payer fetched back.
    """

    name: str
    currency: str
    with_first_payment: bool = False
    failure: tuple[str, str] = ("test_failure", "TEST")
    chargeback: tuple[str, str] = ("authorisation_disputed", "TEST")


SCHEMES = (
    Scheme(
        "bacs", "GBP", failure=("refer_to_payer", "ARUDD-0"), chargeback=("authorisation_disputed", "DDICA-5")
    ),
    Scheme("sepa_core", "EUR", True, ("insufficient_funds", "AM04"), ("refund_requested", "MD06")),
    Scheme(
        "ach", "USD", True, ("refer_to_payer", "ACH_RETURN-R01"), ("authorisation_disputed", "ACH_RETURN-R10")
    ),
    Scheme("becs", "AUD", True),
    Scheme("becs_nz", "NZD", True),
    Scheme("pad", "CAD"),
    Scheme("betalingsservice", "DKK"),
    Scheme("autogiro", "SEK"),
)

BY_CURRENCY = {scheme.currency: scheme for scheme in SCHEMES}
BY_NAME = {scheme.name: scheme for scheme in SCHEMES}

CURRENCY_OF_COUNTRY = {
    "GB": "GBP",
    "US": "USD",
    "AU": "AUD",
    "NZ": "NZD",
    "CA": "CAD",
    "DK": "DKK",
    "SE": "SEK",
}
"""Country -> currency of its accounts; every other country's are EUR."""
