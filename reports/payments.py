"""The payments of a run as numpy arrays, in due order."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from journal.records import GENERATOR

Ints = NDArray[np.int64]
Codes = NDArray[np.int16]
Bools = NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max
"""Stands for a time that never came: a payment without an answer is slower than everything."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of few different texts: ``names[codes[i]]`` is the text of row i. ``names`` is sorted."""

    codes: Codes
    names: tuple[str, ...]

    def equal(self, name: str) -> Bools:
        """Where the text is ``name``."""
        if name not in self.names:
            return np.zeros(len(self.codes), bool)
        return cast(Bools, self.codes == self.names.index(name))

    def starting(self, words: str) -> Bools:
        """Where the text begins with these words."""
        return np.array([name.startswith(words) for name in self.names] or [False])[self.codes]

    def at(self, rows: Any) -> Coded:
        """The same column for some of the rows."""
        return Coded(self.codes[rows], self.names)


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments in the order of their due times (then of their order ids); all arrays have one length.

    Attributes:
        due_ns: When the plan wanted it sent.
        sent_ns: When it was sent; ``NEVER`` if it was not.
        done_ns: When its answer was there; ``NEVER`` if none came.
        latency_ns: done - due; ``NEVER`` without an answer.
        lateness_ns: sent - due; ``NEVER`` if it was not sent.
        amount_minor: 0 where only the intent to send it is known.
        sent: False for what the generator never sent, by its own fault.
        open_loop: It was due because the plan said so, and not because a user had thought enough.
        lost: It was sent, and what became of it was lost with its load process.
        answered: An answer came, whatever it said.
        success: The client got the expected outcome, in time.
        approved: The client was told ``succeeded``.
        true_success: The gateways' records show the expected outcome, in time.
        captures: Captures of the order over all gateways.
        method, currency, expected, outcome, error, gateway: As in ``journal.records.Payment``.
    """

    due_ns: Ints
    sent_ns: Ints
    done_ns: Ints
    latency_ns: Ints
    lateness_ns: Ints
    amount_minor: Ints
    captures: Ints
    sent: Bools
    lost: Bools
    open_loop: Bools
    answered: Bools
    success: Bools
    approved: Bools
    true_success: Bools
    method: Coded
    currency: Coded
    expected: Coded
    outcome: Coded
    error: Coded
    gateway: Coded

    def __len__(self) -> int:
        return len(self.due_ns)

    def where(self, rows: Any) -> Payments:
        """Some of the payments: ``rows`` is a mask, a slice, or increasing indices."""
        parts: dict[str, Any] = {}
        for field in fields(self):
            values = getattr(self, field.name)
            parts[field.name] = values.at(rows) if isinstance(values, Coded) else values[rows]
        return Payments(**parts)


def payments_from(orders: pa.Table, timeout_ns: int) -> Payments:
    """The payments among the joined orders, the never sent ones included.

    Args:
        orders: As ``reports.orders.join_orders`` makes them.
        timeout_ns: When a customer gives up; later successes are none.

    True success is decided by the gateways alone. Expected ``succeeded``: exactly one capture, of the planned
    amount and currency, at most ``timeout_ns`` after the due time. Expected ``declined``: no capture, and a
    gateway that declined. Expected ``pending``: a gateway accepted it, and has captured it at most once, as
    planned; when does not matter. Any other expected outcome: no capture.
    """
    table = orders.filter(pc.is_valid(orders["due_ns"]))
    due, sent, done = (_ints(table[name]) for name in ("due_ns", "sent_ns", "done_ns"))
    answered = done != NEVER
    expected, outcome, error = (_coded(table[name]) for name in ("expected", "outcome", "error"))
    was_sent = (sent != NEVER) & ~error.starting(GENERATOR)
    latency = np.where(answered, done - due, NEVER)
    success = (
        was_sent
        & _mask(pc.equal(table["outcome"], table["expected"]))
        & error.equal("")
        & answered
        & (latency <= timeout_ns)
    )
    captures = _ints(table["captures"])
    once = (
        (captures == 1)
        & _mask(pc.equal(table["captured_minor"], table["amount_minor"]))
        & _mask(pc.equal(table["captured_currency"], table["currency"]))
    )
    as_planned = once & (_ints(table["captured_at_ns"]) <= due + timeout_ns)
    accepted = _mask(table["gateway_accepted"]) & (once | (captures == 0))
    refused = (captures == 0) & (_mask(table["gateway_declined"]) | ~expected.equal("declined"))
    return Payments(
        due_ns=due,
        sent_ns=sent,
        done_ns=done,
        latency_ns=latency,
        lateness_ns=np.where(was_sent, sent - due, NEVER),
        amount_minor=_ints(table["amount_minor"], 0),
        captures=captures,
        sent=was_sent,
        lost=was_sent & ~_mask(table["recorded"]),
        open_loop=_mask(pc.equal(table["loop"], "open")),
        answered=answered,
        success=success,
        approved=was_sent & outcome.equal("succeeded"),
        true_success=np.select(
            [expected.equal("succeeded"), expected.equal("pending")], [as_planned, accepted], refused
        ),
        method=_coded(table["method"]),
        currency=_coded(table["currency"]),
        expected=expected,
        outcome=outcome,
        error=error,
        gateway=_coded(table["gateway"]),
    )


def _ints(column: pa.ChunkedArray, missing: int = NEVER) -> Ints:
    return cast(Ints, pc.fill_null(column, missing).to_numpy().astype(np.int64, copy=False))


def _mask(column: pa.ChunkedArray) -> Bools:
    return cast(Bools, pc.fill_null(column, False).to_numpy().astype(bool, copy=False))


def _coded(column: pa.ChunkedArray) -> Coded:
    names = sorted(pc.unique(column).to_pylist())
    codes = pc.index_in(column, value_set=pa.array(names, pa.string())).to_numpy()
    return Coded(codes.astype(np.int16), tuple(names))
