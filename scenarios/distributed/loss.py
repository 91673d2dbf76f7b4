"""What a worker that is gone has left behind: arrivals of its share of which its journal says nothing.

Whether they were sent is unknown, so nobody sends them again. They are recorded as the generator's loss, and
no arrival of the plan is missing from the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from journal.mending import written
from journal.records import Payment
from scenarios.arrivals import of_load
from scenarios.checkout import Checkout, PlannedPayment, order_id
from scenarios.customers import pools
from scenarios.distributed.dealing import Deal
from scenarios.schema import Scenario

LOST = "was lost before it said"
"""Part of the error of a payment of which a lost worker said nothing: nobody knows whether it was sent."""

LEFT = "left before this was due"
"""End of the error of a payment that a worker which was told to end did not send any more."""


def recorded(folder: Path, process: str, run: str) -> tuple[set[int], set[int]]:
    """The numbers of the arrivals whose payments, and whose intents, are in a load process's journal.

    Raises:
        OSError: It cannot be read.
    """
    payments, intents = (
        _numbers(written(folder, process, table)["id"].to_pylist(), run) for table in ("payment", "intent")
    )
    return payments, intents


def _numbers(orders: Iterable[str], run: str) -> set[int]:
    # Payments of closed-loop users have another kind of order id.
    numbers = (order.removeprefix(f"{run}-") for order in orders)
    return {int(number) for number in numbers if number.isdigit()}


def left_behind(
    times: Iterable[int], deals: Sequence[Deal], until_ns: int, known: Mapping[str, set[int]]
) -> Iterator[tuple[str, int, int]]:
    """Arrivals of which no payment is recorded.

    Args:
        times: Due times of all arrivals, in order.
        deals: Who played what.
        until_ns: Arrivals that are due from then on were never asked for.
        known: Id of each worker that is gone -> the payments that it recorded.

    Yields:
        (id of the worker, number, due time), in due order.
    """
    place = -1
    for number, due in enumerate(times):
        if due >= until_ns:
            return
        while place + 1 < len(deals) and deals[place + 1].start_ns <= due:
            place += 1
        workers = deals[place].workers if place >= 0 else ()
        if workers:
            worker = workers[number % len(workers)]
            if worker in known and number not in known[worker]:
                yield worker, number, due


class Loss:
    """Turns what was left behind into records.

    Args:
        scenario: What was played.
        run: Prefix of its order ids.
    """

    def __init__(self, scenario: Scenario, run: str) -> None:
        self._scenario = scenario
        self._run = run
        self._checkout = Checkout(scenario.load, scenario.seed, pools(scenario.seed))

    def times(self) -> Iterator[int]:
        """Due times of all arrivals."""
        return of_load(self._scenario.load, self._scenario.seed)

    def of_lost(self, number: int, due_ns: int, name: str, sent: bool) -> Payment:
        """An arrival of a worker that was lost. ``sent``: its journal says that it was about to be sent."""
        what = "what came of this" if sent else "whether this was sent"
        return self._record(
            self._checkout.payment(number, due_ns), "unknown", f"generator: worker {name} {LOST} {what}"
        )

    def of_left(self, number: int, due_ns: int, name: str) -> Payment:
        """An arrival of a worker that left in an orderly way: it was not sent."""
        return self._record(
            self._checkout.payment(number, due_ns), "failed", f"generator: worker {name} {LEFT}"
        )

    def _record(self, planned: PlannedPayment, outcome: str, error: str) -> Payment:
        return Payment(
            id=order_id(self._run, planned.number),
            due_ns=planned.due_ns,
            sent_ns=None,
            done_ns=None,
            method=planned.method,
            amount_minor=planned.amount_minor,
            currency=planned.currency,
            instrument=planned.instrument,
            expected=planned.expected,
            outcome=outcome,
            error=error,
            gateway="",
        )
