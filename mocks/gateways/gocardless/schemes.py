"""The bank debit schemes, one per currency: their days, their limits, and what their banks say when money
does not come or goes back.

Second-hand: the pairs of cause and reason code, from the published lists of event causes; the days, from
GoCardless' chart that compares the schemes' timings; the limits, from its list of default transaction limits.
"""

from __future__ import annotations

from typing import NamedTuple


class Days(NamedTuple):
    """Working days from the one on which a payment is created (before the cut-off) to each of its steps, for
    an active mandate; ``mandate`` is that from the creation of a mandate to its activation."""

    submitted: int
    charged: int
    confirmed: int
    paid_out: int
    mandate: int = 2


class Scheme(NamedTuple):
    """One scheme.

    Attributes:
        name: The ``scheme`` of mandates.
        currency: The only currency that it collects.
        days: Its timeline.
        least_minor: The smallest payment, in the minor unit.
        most_minor: The largest payment, in the minor unit, of an account without an agreement of its own.
        with_first_payment: Its mandates are submitted and activated with their first payment (documented at
            the scenario simulators), so that ``mandate_activated`` does not go with it.
        expires: Whether its mandates expire when they are not used.
        failure: Cause and reason code of a payment that failed.
        chargeback: Cause and reason code of a payment that its payer fetched back.
    """

    name: str
    currency: str
    days: Days
    least_minor: int
    most_minor: int
    with_first_payment: bool = False
    expires: bool = True
    failure: tuple[str, str] = ("test_failure", "TEST")
    chargeback: tuple[str, str] = ("authorisation_disputed", "TEST")


SCHEMES = (
    Scheme(
        "bacs",
        "GBP",
        Days(1, 3, 4, 5),
        100,
        500_000,
        failure=("refer_to_payer", "ARUDD-0"),
        chargeback=("authorisation_disputed", "DDICA-5"),
    ),
    Scheme(
        "sepa_core",
        "EUR",
        Days(1, 3, 4, 6),
        100,
        500_000,
        with_first_payment=True,
        failure=("insufficient_funds", "AM04"),
        chargeback=("refund_requested", "MD06"),
    ),
    Scheme(
        "ach",
        "USD",
        Days(1, 2, 4, 5),
        100,
        500_000,  # assumed: the list has no line for it
        with_first_payment=True,
        failure=("refer_to_payer", "ACH_RETURN-R01"),
        chargeback=("authorisation_disputed", "ACH_RETURN-R10"),
    ),
    Scheme("becs", "AUD", Days(0, 1, 3, 4), 200, 1_000_000, with_first_payment=True),
    Scheme("becs_nz", "NZD", Days(1, 2, 5, 6), 200, 1_000_000, with_first_payment=True, expires=False),
    Scheme("pad", "CAD", Days(0, 3, 5, 6), 200, 500_000, expires=False),
    # Collects on one working day of a month that is chosen; the earliest one is taken here.
    Scheme("betalingsservice", "DKK", Days(1, 8, 8, 12), 1_000, 5_000_000),
    Scheme("autogiro", "SEK", Days(6, 8, 8, 10, mandate=6), 1_000, 5_000_000, expires=False),
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
