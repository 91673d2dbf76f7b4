"""What each planned payment is: its customer, cart, amount, instrument, and the outcome to expect.

Payment number n of a seed is a pure function of (seed, n): any worker can plan any payment, in any order,
and gets the same one. Its random draws are the bytes of a keyed hash of n, so nothing is carried over
from one payment to the next.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import orjson

from mocks.platform.vault import INSTRUMENTS
from scenarios.arrivals import of_load
from scenarios.customers import Customer, Pools, Product, pools
from scenarios.schema import Load, Scenario


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a cart."""

    product: Product
    quantity: int


@dataclass(frozen=True, slots=True)
class PlannedPayment:
    """A payment as planned. ``expected`` is the outcome that the customer is to be told, with a
    ``decline_code`` if it is ``declined``; of a bank debit it is ``pending``: its bank is heard later."""

    number: int
    due_ns: int
    method: str
    amount_minor: int
    currency: str
    instrument: str
    expected: str
    decline_code: str
    customer: Customer
    cart: tuple[Line, ...]

    def body(self, order_id: str) -> bytes:
        """The JSON body of ``POST /payments``."""
        return orjson.dumps(
            {
                "order_id": order_id,
                "amount_minor": self.amount_minor,
                "currency": self.currency,
                "method": self.method,
                "instrument": self.instrument,
                "customer": {
                    "name": self.customer.name,
                    "email": self.customer.email,
                    "country": self.customer.country,
                },
                "cart": [
                    {
                        "sku": line.product.sku,
                        "name": line.product.name,
                        "quantity": line.quantity,
                        "price_minor": line.product.price_minor(self.currency),
                    }
                    for line in self.cart
                ],
            }
        )


def order_id(run: str, number: int) -> str:
    """The order id of a payment: unique across runs, so that a platform that outlives one run never takes
    the next run's payment for a replay."""
    return f"{run}-{number:07d}"


class Checkout:
    """Plans the payments of one load.

    Args:
        load: The shares of methods, currencies and declines.
        seed: Decides every draw.
        ready: Pools made before, to save making them twice.
    """

    def __init__(self, load: Load, seed: int, ready: Pools | None = None) -> None:
        self._pools = ready or pools(seed)
        self._key = seed.to_bytes(8, "big")
        self._declines = load.declines
        self._methods = _Table(load.mix)
        self._currencies = _Table(load.currencies)
        self._approved = {m: _instruments(m, declines=False) for m in load.mix}
        self._declined = {m: _instruments(m, declines=True) for m in load.mix}

    def payment(self, number: int, due_ns: int) -> PlannedPayment:
        """Payment ``number``, due at ``due_ns``."""
        digest = hashlib.blake2b(number.to_bytes(8, "big"), key=self._key, digest_size=32).digest()
        draw = [int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in range(0, 32, 4)]
        method = self._methods.pick(draw[0])
        currency = self._currencies.pick(draw[1])
        choices = self._declined[method] if draw[2] < self._declines else self._approved[method]
        instrument = choices[int(draw[3] * len(choices))]
        products = self._pools.products
        # Squaring favours the cheap end of the list, as carts do.
        cart = tuple(
            Line(products[int(part * part * len(products))], 1 + (part > 0.9))
            for part in draw[5 : 6 + int(draw[4] * draw[4] * 3)]
        )
        return PlannedPayment(
            number=number,
            due_ns=due_ns,
            method=method,
            amount_minor=sum(line.product.price_minor(currency) * line.quantity for line in cart),
            currency=currency,
            instrument=instrument,
            expected=INSTRUMENTS[instrument].outcome,
            decline_code=INSTRUMENTS[instrument].declined_at_once,
            customer=self._pools.customers[int.from_bytes(digest[:3], "little") % len(self._pools.customers)],
            cart=cart,
        )


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """How many payments a scenario plans, and a digest that two plans share only if they are equal."""

    payments: int
    digest: str


def plan(scenario: Scenario) -> Iterator[PlannedPayment]:
    """All payments of a scenario, in due order."""
    checkout = Checkout(scenario.load, scenario.seed)
    for number, due in enumerate(of_load(scenario.load, scenario.seed)):
        yield checkout.payment(number, due)


def summarise(payments: Iterator[PlannedPayment]) -> PlanSummary:
    """Count and digest payments: due time, money, instrument, expected outcome, cart and customer."""
    digest = hashlib.sha256()
    number = -1
    for number, payment in enumerate(payments):  # noqa: B007 - its last value is the count
        digest.update(
            b"%d " % payment.due_ns + payment.body(str(payment.number)) + payment.expected.encode() + b"\n"
        )
    return PlanSummary(number + 1, digest.hexdigest())


class _Table:
    """Names with shares, picked by a number in [0, 1)."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._names = [name for name, share in shares.items() if share > 0]
        self._edges = list(accumulate(shares[name] for name in self._names))

    def pick(self, part: float) -> str:
        return self._names[min(bisect.bisect_right(self._edges, part), len(self._names) - 1)]


def _instruments(method: str, *, declines: bool) -> Sequence[str]:
    return sorted(
        name
        for name, instrument in INSTRUMENTS.items()
        if instrument.method == method and bool(instrument.decline_code) == declines
    )
