"""What each planned payment is: its customer, cart, amount, instrument, and the outcome to expect.

Payment number n of a seed is a pure function of (seed, n): any worker can plan any payment, in any order,
and gets the same one. Its random draws are the bytes of a keyed hash of n, so nothing is carried over
from one payment to the next.
"""

from __future__ import annotations

import bisect
import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import orjson

from mocks.platform.vault import INSTRUMENTS
from scenarios.arrivals import of_load
from scenarios.customers import Customer, Pools, Product, pools
from scenarios.schema import Load, Scenario

_DRAWS = struct.Struct(">8I")
_PER_DRAW = 2.0**-32


class Line(NamedTuple):
    """A line of a cart."""

    product: Product
    quantity: int


class PlannedPayment(NamedTuple):
    """A payment as planned. ``expected`` is the outcome that the customer is to be told, with a
    ``decline_code`` if it is ``declined``; of a bank debit it is ``pending``: its bank is heard later.
    ``rest`` is what follows the order's id in the body of its request."""

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
    rest: bytes

    def body(self, order_id: str) -> bytes:
        """The JSON body of ``POST /payments``."""
        return b'{"order_id":%b%b' % (orjson.dumps(order_id), self.rest)


def order_id(run: str, number: int) -> str:
    """The order id of a payment: unique across runs, so that a platform that outlives one run never takes
    the next run's payment for a replay."""
    return f"{run}-{number:07d}"


_CLOSED = 1 << 63
"""Payment numbers of users have this bit; those of arrivals do not."""


def user_payment(user: int, nth: int) -> int:
    """The number of a user's nth payment, both counted from 0, below 2^31 and 2^32: no arrival has it."""
    return _CLOSED | user << 32 | nth


def user_order_id(run: str, user: int, nth: int) -> str:
    """The order id of a user's nth payment."""
    return f"{run}-u{user:05d}-{nth:05d}"


class Checkout:
    """Plans the payments of one load.

    Args:
        load: The shares of methods, currencies and declines.
        seed: Decides every draw.
        ready: Pools made before, to save making them twice.
    """

    def __init__(self, load: Load, seed: int, ready: Pools | None = None) -> None:
        self._pools = ready or pools(seed)
        self._keyed = hashlib.blake2b(key=seed.to_bytes(8, "big"), digest_size=32)
        self._declines = load.declines
        self._methods = _Table(load.mix)
        self._currencies = _Table(load.currencies)
        self._approved = {m: _instruments(m, declines=False) for m in load.mix}
        self._declined = {m: _instruments(m, declines=True) for m in load.mix}
        # A load has so few customers, products and instruments that everything about them is encoded once.
        self._customers = [(customer, _encoded(customer)) for customer in self._pools.customers]
        self._lines = {currency: _lines(self._pools.products, currency) for currency in load.currencies}
        self._terms = {
            instrument: (
                INSTRUMENTS[instrument].outcome,
                INSTRUMENTS[instrument].declined_at_once,
                orjson.dumps({"method": method, "instrument": instrument})[1:-1],
            )
            for method in load.mix
            for instrument in (*self._approved[method], *self._declined[method])
        }

    def payment(self, number: int, due_ns: int) -> PlannedPayment:
        """Payment ``number``, due at ``due_ns``."""
        keyed = self._keyed.copy()
        keyed.update(number.to_bytes(8, "big"))
        digest = keyed.digest()
        of_method, of_currency, of_decline, of_instrument, of_size, *of_lines = _DRAWS.unpack(digest)
        # Scaling by a power of two is exact: these are the draws of every version of this plan.
        method = self._methods.pick(of_method * _PER_DRAW)
        currency = self._currencies.pick(of_currency * _PER_DRAW)
        declined = of_decline * _PER_DRAW < self._declines
        choices = self._declined[method] if declined else self._approved[method]
        instrument = choices[int(of_instrument * _PER_DRAW * len(choices))]
        expected, decline_code, terms = self._terms[instrument]
        lines = self._lines[currency]
        size = of_size * _PER_DRAW
        first = _line(lines, of_lines[0] * _PER_DRAW)
        cart: tuple[Line, ...] = (first.line,)
        amount, encoded_cart = first.amount_minor, first.encoded
        for draw in of_lines[1 : 1 + int(size * size * 3)]:
            line = _line(lines, draw * _PER_DRAW)
            cart += (line.line,)
            amount += line.amount_minor
            encoded_cart += b"," + line.encoded
        customer, encoded = self._customers[int.from_bytes(digest[:3], "little") % len(self._customers)]
        rest = b',"amount_minor":%d,"currency":"%b",%b,"customer":%b,"cart":[%b]}' % (
            amount,
            currency.encode("ascii"),
            terms,
            encoded,
            encoded_cart,
        )
        return PlannedPayment(
            number,
            due_ns,
            method,
            amount,
            currency,
            instrument,
            expected,
            decline_code,
            customer,
            cart,
            rest,
        )


class _PricedLine(NamedTuple):
    """A line of a cart in one currency, and as it stands in the body."""

    line: Line
    amount_minor: int
    encoded: bytes


def _line(lines: Sequence[tuple[_PricedLine, _PricedLine]], draw: float) -> _PricedLine:
    # Squaring favours the cheap end of the list, as carts do.
    return lines[int(draw * draw * len(lines))][draw > 0.9]


def _lines(products: Sequence[Product], currency: str) -> list[tuple[_PricedLine, _PricedLine]]:
    """Of each product one piece, and two."""
    return [
        (_priced(Line(product, 1), currency), _priced(Line(product, 2), currency)) for product in products
    ]


def _priced(line: Line, currency: str) -> _PricedLine:
    product, quantity = line
    price = product.price_minor(currency)
    encoded = orjson.dumps(
        {"sku": product.sku, "name": product.name, "quantity": quantity, "price_minor": price}
    )
    return _PricedLine(line, price * quantity, encoded)


def _encoded(customer: Customer) -> bytes:
    return orjson.dumps({"name": customer.name, "email": customer.email, "country": customer.country})


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
