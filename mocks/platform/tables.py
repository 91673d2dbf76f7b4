"""The tables of the store, and how records become rows and rows become records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from mocks.platform.entry import Entry, Event
from mocks.platform.payment import Payment, Refund

Record = Payment | Refund | Entry | Event
"""What the store keeps."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    method TEXT NOT NULL,
    instrument TEXT NOT NULL,
    status TEXT NOT NULL,
    gateway TEXT NOT NULL,
    reference TEXT NOT NULL,
    decline_code TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS payments_by_order ON payments (order_id);
CREATE INDEX IF NOT EXISTS payments_by_reference ON payments (reference) WHERE reference <> '';
CREATE INDEX IF NOT EXISTS payments_undecided ON payments (status) WHERE status IN ('pending', 'unknown');
CREATE TABLE IF NOT EXISTS refunds (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    amount_minor INTEGER NOT NULL,
    whole INTEGER NOT NULL,
    status TEXT NOT NULL,
    reference TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS refunds_by_payment ON refunds (payment_id);
CREATE INDEX IF NOT EXISTS refunds_by_reference ON refunds (reference) WHERE reference <> '';
CREATE INDEX IF NOT EXISTS refunds_undecided ON refunds (status) WHERE status IN ('pending', 'unknown');
CREATE TABLE IF NOT EXISTS entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    gateway TEXT NOT NULL,
    reference TEXT NOT NULL,
    order_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    UNIQUE (kind, gateway, reference)
);
CREATE TABLE IF NOT EXISTS events (
    gateway TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (gateway, id)
) WITHOUT ROWID;
"""

# A decided row is final: a late write can't take it back (`WHERE status IN ...`). One thing only happens to a
# decided refund: its gateway tells that it failed after all, and that stays.
_PUT_PAYMENT = """
INSERT INTO payments (id, order_id, amount_minor, currency, method, instrument,
                      status, gateway, reference, decline_code, error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, gateway = excluded.gateway,
    reference = excluded.reference, decline_code = excluded.decline_code, error = excluded.error
WHERE status IN ('pending', 'unknown')
"""
_PUT_REFUND = """
INSERT INTO refunds (id, payment_id, amount_minor, whole, status, reference, error)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, reference = excluded.reference,
    error = excluded.error
WHERE status IN ('pending', 'unknown') OR (status = 'succeeded' AND excluded.status = 'failed')
"""
_PUT_ENTRY = """
INSERT INTO entries (kind, gateway, reference, order_id, amount_minor, currency) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, gateway, reference) DO NOTHING
"""
_PUT_EVENT = "INSERT INTO events (gateway, id) VALUES (?, ?) ON CONFLICT DO NOTHING"
PAYMENTS = """
SELECT id, order_id, amount_minor, currency, method, instrument, status, gateway, reference, decline_code,
       error, (SELECT COALESCE(SUM(amount_minor), 0) FROM refunds
               WHERE refunds.payment_id = payments.id AND refunds.status = 'succeeded')
FROM payments
"""
REFUNDS = "SELECT id, payment_id, amount_minor, whole, status, reference, error FROM refunds "


_PUT: dict[type[Record], tuple[str, int]] = {
    Payment: (_PUT_PAYMENT, 11),
    Refund: (_PUT_REFUND, 7),
    Entry: (_PUT_ENTRY, 6),
    Event: (_PUT_EVENT, 2),
}
"""Kind of record -> the statement that writes one, and how many of its fields, from the first, it takes."""


def puts(records: Iterable[Record]) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """The statements that write these records, each with the rows to execute it with; in their order."""
    for kind, group in groupby(records, type):
        statement, fields = _PUT[kind]
        yield statement, [record[:fields] for record in group]


def refund(row: tuple[Any, ...]) -> Refund:
    """The refund of a row of ``REFUNDS``."""
    id, payment_id, amount_minor, whole, status, reference, error = row
    return Refund(id, payment_id, amount_minor, bool(whole), status, reference, error)
