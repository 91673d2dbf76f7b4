"""Adyen's settlement details report, as far as the platform reads it: what a batch paid out, and its fees.

Columns and record types: https://docs.adyen.com/reporting/settlement-reconciliation/transaction-level/
settlement-details-report. That the text of the row ``MerchantPayout`` holds the payout's reference between
``TX`` and ``XT`` is from its examples.
"""

from __future__ import annotations

import csv
import re

from mocks.platform.connectors.connector import Payout

_COSTS = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")
_EXPONENTS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}
_REFERENCE = re.compile(r"TX(\w+)XT\b")


def payout_of(report: str) -> Payout | None:
    """The payout of a report; ``None`` when it holds none. Fees are what was withheld of each payment, and
    the rows of type ``Fee``.

    Raises:
        ValueError: It is no such report.
    """
    reference = currency = ""
    amount = fee = 0
    for row in csv.DictReader(report.splitlines()):
        currency = row.get("Net Currency") or ""
        fee += sum(_minor(row.get(column) or "", currency) for column in _COSTS)
        debit = _minor(row.get("Net Debit (NC)") or "", currency)
        if row.get("Type") == "Fee":
            fee += debit
        elif row.get("Type") == "MerchantPayout":
            found = _REFERENCE.match(row.get("Modification Reference") or "")
            if found is None:
                raise ValueError("a payout without its reference")
            reference, amount = found[1], debit
    return Payout(reference, amount, fee, currency) if reference else None


def _minor(value: str, currency: str) -> int:
    """``12.90`` in the minor unit of its currency; 0 for an empty cell."""
    if not value:
        return 0
    whole, _, decimals = value.partition(".")
    exponent = _EXPONENTS.get(currency, 2)
    if len(decimals) > exponent:
        raise ValueError(f"{value} has too many decimals for {currency}")
    return int(whole + decimals.ljust(exponent, "0"))
