"""Settlement: what was captured is paid out to the merchant in batches, by the mock's clock.

This is what merchants with an acquiring contract have: a payout a day of what is two days old (assumed: both
differ by account), a settlement details report of each batch, and a REPORT_AVAILABLE webhook whose ``reason``
is the report's URL. Nothing is made of a payment before its batch is.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from itertools import islice
from urllib.parse import quote, unquote

from journal.records import Movement
from mocks.gateways.adyen.amounts import Amount
from mocks.gateways.adyen.disputes import REVERSED, SECOND
from mocks.gateways.adyen.errors import AdyenError
from mocks.gateways.adyen.fees import NONE, costs_of, processing_fee
from mocks.gateways.adyen.modifications import RETURNED
from mocks.gateways.adyen.notifications import Notice
from mocks.gateways.adyen.payments import FAILED, Payments
from mocks.gateways.adyen.settlement_report import Batch, Row, report
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock
from mocks.reply import Reply

SETTLEMENT_S = 2 * 86_400
"""Seconds of the mock's clock from a movement to its batch, at least."""

AGAIN_S = 86_400
"""Seconds from one payout to the next."""

_SETTLED = ("capture", "refund", "dispute")

_KINDS = {
    ("dispute", FAILED): "SettledReversed",
    ("dispute", REVERSED): "ChargebackReversed",
    ("dispute", SECOND): "SecondChargeback",
    ("dispute", ""): "Chargeback",
    ("refund", RETURNED): "RefundedReversed",
    ("refund", ""): "Refunded",
    ("capture", ""): "Settled",
}
"""Kind of a movement, and what stands behind its reference -> record type; the first that fits."""


class Settlement:
    """The batches of one gateway, by merchant account and currency.

    A batch takes all that is old enough; where the debits outweigh the credits, they wait for more. In the
    ledger a payout stands with the sum of the fees that were withheld from it.

    Args:
        ledger: What moved, and where payouts and fees are booked.
        payments: To whom the movements belong.
        clock: The mock's.
        new_reference: Makes references of payouts and fees.
        tell: Takes what the merchant is to be told.
        base_url: Where the merchant finds the mock.
    """

    def __init__(
        self,
        ledger: Ledger,
        payments: Payments,
        clock: MockClock,
        new_reference: Callable[[], str],
        tell: Callable[[Notice], object],
        base_url: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._payments = payments
        self._clock = clock
        self._new_reference = new_reference
        self._tell = tell
        self._base_url = base_url
        self._times = array("q")
        self._seen = 0
        self._planned = False
        self._unpaid: dict[tuple[str, str], list[Row]] = {}
        self._batches: dict[str, Batch] = {}
        self._numbers: dict[str, int] = {}

    def moved(self, movement: Movement) -> None:
        """The ledger has a movement more."""
        self._times.append(self._clock.unix())
        if not self._planned and movement.kind in _SETTLED:
            self._planned = True
            self._clock.call_later(SETTLEMENT_S, self._close)

    def download(self, path: str) -> Reply:
        """The report with this path. Raises AdyenError (404)."""
        batch = self._batches.get(unquote(path))
        if batch is None:
            raise AdyenError(404, "000", "HTTP Status Response - Not Found", "security")
        return Reply(200, report(batch), content_type="text/csv")

    def book_fees(self, at_ns: int) -> None:
        """Book the fees of what is in no batch yet, as a sum per currency: the run ends."""
        fees: dict[str, int] = {}
        for (_, currency), rows in self._unpaid.items():
            fees[currency] = fees.get(currency, 0) + _fees(rows, currency)
        self._unpaid.clear()
        for movement in islice(self._ledger, self._seen, None):
            if movement.kind == "capture":
                method = self._payments.of_capture(movement.reference).request.method
                fee = sum(costs_of(movement.amount_minor, method)) + processing_fee(movement.currency)
                fees[movement.currency] = fees.get(movement.currency, 0) + fee
        self._seen = len(self._ledger)
        for currency, amount in fees.items():
            if amount:
                self._ledger.fee(self._new_reference(), "", amount, currency, at_ns)

    def _close(self) -> None:
        self._gather(self._clock.unix() - SETTLEMENT_S)
        for (merchant, currency), rows in tuple(self._unpaid.items()):
            if sum(row.net_minor for row in rows) > _processing(rows, currency):
                self._pay_out(merchant, currency, rows)
                del self._unpaid[merchant, currency]
        waiting = self._next()
        self._planned = waiting is not None
        if waiting is not None:
            due = max(self._clock.now() + AGAIN_S, waiting + SETTLEMENT_S)
            self._clock.call_at(due, self._close)

    def _gather(self, until: int) -> None:
        """Make rows of the movements that are old enough."""
        for movement in islice(self._ledger, self._seen, None):
            created = self._times[self._seen]
            if created > until:
                return
            self._seen += 1
            if movement.kind in _SETTLED:
                self._add(movement, created)

    def _add(self, movement: Movement, created: int) -> None:
        payment = self._payments.of_capture(movement.parent or movement.reference)
        request = payment.request
        kind, reference = _kind(movement)
        gross = movement.amount_minor if movement.kind == "capture" else -movement.amount_minor
        costs = costs_of(gross, request.method) if kind == "Settled" else NONE
        row = Row(
            kind, payment.psp_reference, request.reference, request.brand, created, reference, gross, costs
        )
        self._unpaid.setdefault((request.merchant, movement.currency), []).append(row)

    def _next(self) -> int | None:
        """When the first movement that is in no batch yet happened; None without one."""
        for movement in islice(self._ledger, self._seen, None):
            if movement.kind in _SETTLED:
                return self._times[self._seen]
            self._seen += 1
        return None

    def _pay_out(self, merchant: str, currency: str, rows: list[Row]) -> None:
        number = self._numbers[merchant] = self._numbers.get(merchant, 0) + 1
        batch = Batch(
            merchant,
            number,
            currency,
            self._clock.unix(),
            tuple(rows),
            _processing(rows, currency),
            self._new_reference(),
        )
        self._batches[batch.path] = batch
        at_ns, fees = time.monotonic_ns(), _fees(rows, currency)
        if fees:
            self._ledger.fee(self._new_reference(), batch.payout, fees, currency, at_ns)
        self._ledger.payout(batch.payout, batch.payout_minor, currency, at_ns)
        url = f"{self._base_url()}{quote(batch.path)}"
        nothing = Amount("EUR", 0)
        self._tell(Notice("REPORT_AVAILABLE", batch.file_name, "", merchant, "", nothing, True, url, ""))


def _kind(movement: Movement) -> tuple[str, str]:
    """The record type of a movement, and its pspReference."""
    for (kind, suffix), name in _KINDS.items():
        if movement.kind == kind and movement.reference.endswith(suffix):
            return name, movement.reference.removesuffix(suffix)
    raise ValueError(f"{movement.kind} is not settled")


def _processing(rows: list[Row], currency: str) -> int:
    return processing_fee(currency) * sum(row.kind == "Settled" for row in rows)


def _fees(rows: list[Row], currency: str) -> int:
    return _processing(rows, currency) + sum(sum(row.costs) for row in rows)
