"""The settlement details report: a batch of settled payments, row by row, as CSV.

The columns and record types are those of Adyen's documentation ("Settlement details report"), as far as there
is something to put into them. Second-hand: the texts in Modification Reference of the rows that stand for no
payment, and that a capture which fails after it was booked is ``SettledReversed``.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from mocks.gateways.adyen.currencies import DECIMALS
from mocks.gateways.adyen.fees import NONE, Costs

REPORTS = "/reports/download/MerchantAccount/"
"""Where the paths of reports begin; a merchant account and a file name follow."""

COLUMNS = (
    "Company Account",
    "Merchant Account",
    "Psp Reference",
    "Merchant Reference",
    "Payment Method",
    "Creation Date",
    "TimeZone",
    "Type",
    "Modification Reference",
    "Gross Currency",
    "Gross Debit (GC)",
    "Gross Credit (GC)",
    "Exchange Rate",
    "Net Currency",
    "Net Debit (NC)",
    "Net Credit (NC)",
    "Commission (NC)",
    "Markup (NC)",
    "Scheme Fees (NC)",
    "Interchange (NC)",
    "Payment Method Variant",
    "Modification Merchant Reference",
    "Batch Number",
)


class Row(NamedTuple):
    """One movement of a payment's money.

    Attributes:
        kind: The record type: Settled, Refunded, Chargeback, ...
        psp_reference: Of the payment.
        merchant_reference: Of the payment.
        method: The card's brand, or the method.
        created: In Unix seconds of the mock's clock.
        reference: The pspReference of the capture, the refund, the dispute.
        gross_minor: Negative where it is debited.
        costs: What is withheld of it.
    """

    kind: str
    psp_reference: str
    merchant_reference: str
    method: str
    created: int
    reference: str
    gross_minor: int
    costs: Costs = NONE

    @property
    def net_minor(self) -> int:
        return self.gross_minor - sum(self.costs)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is paid out at once to one merchant account: ``payout_minor`` is the sum of the nets of its
    ``rows`` less ``processing_minor``.

    Attributes:
        merchant: The merchant account.
        number: Counts the account's batches from 1.
        currency: Of all its amounts.
        closed: In Unix seconds of the mock's clock.
        rows: Oldest first.
        processing_minor: The sum of the processing fees.
        payout: The reference of the payout.
    """

    merchant: str
    number: int
    currency: str
    closed: int
    rows: tuple[Row, ...]
    processing_minor: int
    payout: str

    @property
    def payout_minor(self) -> int:
        return sum(row.net_minor for row in self.rows) - self.processing_minor

    @property
    def file_name(self) -> str:
        return f"settlement_detail_report_batch_{self.number}.csv"

    @property
    def path(self) -> str:
        return f"{REPORTS}{self.merchant}/{self.file_name}"


def report(batch: Batch) -> bytes:
    """The report of a batch: its payments, its processing fees, its payout. Times are UTC."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in batch.rows:
        writer.writerow(_payment(batch, row))
    if batch.processing_minor:
        month = datetime.fromtimestamp(batch.closed, UTC).strftime("%B %Y")
        writer.writerow(_own(batch, "Fee", f"Transaction Fees {month}", batch.processing_minor))
    what = f"TX{batch.payout}XT batch {batch.number}, {batch.merchant}"
    writer.writerow(_own(batch, "MerchantPayout", what, batch.payout_minor))
    return text.getvalue().encode()


def _payment(batch: Batch, row: Row) -> dict[str, str]:
    currency, gross, net = batch.currency, row.gross_minor, row.net_minor
    cells = _common(batch, row.kind, row.created) | {
        "Psp Reference": row.psp_reference,
        "Merchant Reference": row.merchant_reference,
        "Payment Method": row.method,
        "Payment Method Variant": row.method,
        "Modification Reference": row.reference,
        "Gross Currency": currency,
        f"Gross {_side(gross)} (GC)": _decimal(abs(gross), currency),
        "Exchange Rate": "1",
        f"Net {_side(net)} (NC)": _decimal(abs(net), currency),
    }
    if any(row.costs):
        cells["Markup (NC)"] = _decimal(row.costs.markup, currency)
        cells["Scheme Fees (NC)"] = _decimal(row.costs.scheme_fees, currency)
        cells["Interchange (NC)"] = _decimal(row.costs.interchange, currency)
    return cells


def _own(batch: Batch, kind: str, what: str, debit_minor: int) -> dict[str, str]:
    """A row of Adyen's own; the batch's account is debited with it."""
    return _common(batch, kind, batch.closed) | {
        "Modification Reference": what,
        "Net Debit (NC)": _decimal(debit_minor, batch.currency),
    }


def _common(batch: Batch, kind: str, created: int) -> dict[str, str]:
    return {
        "Company Account": "Paydrill",
        "Merchant Account": batch.merchant,
        "Creation Date": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "TimeZone": "UTC",
        "Type": kind,
        "Net Currency": batch.currency,
        "Batch Number": str(batch.number),
    }


def _side(amount_minor: int) -> str:
    return "Debit" if amount_minor < 0 else "Credit"


def _decimal(amount_minor: int, currency: str) -> str:
    """``12.90`` for 1290 minor units of EUR."""
    places = DECIMALS[currency]
    if not places:
        return str(amount_minor)
    digits = str(amount_minor).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"
