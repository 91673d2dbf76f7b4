"""The store: payments and refunds in one SQLite file, written in groups, durable before they are spoken of.

Writes are collected on the event loop and committed in one transaction by a worker thread, while the next
group collects: under load a commit carries dozens of payments, so that the price of an fsync is shared.

``journal_mode=WAL`` with ``synchronous=FULL``: a commit returns after the log was synced to the disk, so
what was acknowledged survives a ``kill -9`` of the process and the loss of power. (``NORMAL`` would do for
the first, and lose the last commits in the second.)
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mocks.platform.payment import UNDECIDED, Payment, Refund


class StoreError(OSError):
    """The store could not be opened, or could not make a write durable: none of its group was stored."""


_SCHEMA = """
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
CREATE INDEX IF NOT EXISTS refunds_undecided ON refunds (status) WHERE status IN ('pending', 'unknown');
"""

# A decided row is final: a late write can't take it back (`WHERE status IN ...`).
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
WHERE status IN ('pending', 'unknown')
"""
_PAYMENT = """
SELECT id, order_id, amount_minor, currency, method, instrument, status, gateway, reference, decline_code,
       error, (SELECT COALESCE(SUM(amount_minor), 0) FROM refunds
               WHERE refunds.payment_id = payments.id AND refunds.status = 'succeeded')
FROM payments
"""
_REFUND = "SELECT id, payment_id, amount_minor, whole, status, reference, error FROM refunds "


class Store:
    """Payments and refunds on disk. To be used from one event loop.

    Reads are point look-ups on a connection of their own (WAL: they never wait for a commit) and see what
    has been committed, nothing else.

    Args:
        path: The SQLite file; made if it isn't there.

    Raises:
        StoreError: The file cannot be opened, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: list[tuple[Payment | Refund, asyncio.Future[None]]] = []
        self._committing = False
        self._settled = asyncio.Event()
        self._settled.set()
        self._closed = False
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        try:
            self._writer = _connect(path)
            self._writer.executescript(_SCHEMA)
            self._reader = _connect(path)
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"the platform's store {path} cannot be opened: {error}") from error

    def put(self, record: Payment | Refund) -> asyncio.Future[None]:
        """Write a new record, or the new state of a known one.

        Returns:
            A future that is done once the record is durable. It fails with StoreError when it could not be
            made so.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._closed:
            future.set_exception(StoreError("the store is closed"))
            return future
        self._pending.append((record, future))
        if not self._committing:
            self._committing = True
            self._settled.clear()
            # Not at once: what else this step of the loop writes shall be in the same group.
            asyncio.get_running_loop().call_soon(self._commit_pending)
        return future

    def payment(self, id: str) -> Payment | None:
        """The payment of that id as last committed."""
        row = self._rows(_PAYMENT + "WHERE id = ?", (id,)).fetchone()
        return None if row is None else Payment(*row)

    def payments_of_order(self, order_id: str) -> list[Payment]:
        """Every payment that was asked for under that order, in the order of creation."""
        return [
            Payment(*row)
            for row in self._rows(_PAYMENT + "WHERE order_id = ? ORDER BY seq", (order_id,)).fetchall()
        ]

    def refund(self, id: str) -> Refund | None:
        """The refund of that id as last committed."""
        row = self._rows(_REFUND + "WHERE id = ?", (id,)).fetchone()
        return None if row is None else _refund(row)

    def refunds_of(self, payment_id: str) -> list[Refund]:
        """Every refund of a payment, in the order of creation."""
        rows = self._rows(_REFUND + "WHERE payment_id = ? ORDER BY seq", (payment_id,))
        return [_refund(row) for row in rows.fetchall()]

    def undecided_payments(self) -> list[Payment]:
        """Payments that are pending or unknown, in the order of creation."""
        return [
            Payment(*row)
            for row in self._rows(_PAYMENT + "WHERE status IN (?, ?) ORDER BY seq", UNDECIDED).fetchall()
        ]

    def undecided_refunds(self) -> list[Refund]:
        """Refunds that are pending or unknown, in the order of creation."""
        rows = self._rows(_REFUND + "WHERE status IN (?, ?) ORDER BY seq", UNDECIDED)
        return [_refund(row) for row in rows.fetchall()]

    def page(self, after: int, limit: int) -> tuple[list[Payment], int | None]:
        """A page of all payments in the order of creation.

        Args:
            after: The cursor of the page before; 0 for the first page.
            limit: The number of payments on a page, at most.

        Returns:
            The payments, and the cursor of the next page; ``None`` when this one is the last.
        """
        sequence = [
            row[0]
            for row in self._rows(
                "SELECT seq FROM payments WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
            ).fetchall()
        ]
        if not sequence:
            return [], None
        rows = self._rows(_PAYMENT + "WHERE seq BETWEEN ? AND ? ORDER BY seq", (sequence[0], sequence[-1]))
        return [Payment(*row) for row in rows.fetchall()], sequence[-1] if len(sequence) == limit else None

    async def drain(self) -> None:
        """Wait until everything that was put is durable, or has failed."""
        await self._settled.wait()

    def close(self) -> None:
        """Close the file; a group that is being committed is finished first. What was put and not committed
        is told so."""
        self._closed = True
        self._worker.shutdown(wait=True)
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        for _, future in self._pending:
            if not future.done() and not future.get_loop().is_closed():
                future.set_exception(StoreError("the store is closed"))
        self._pending.clear()

    def _rows(self, query: str, parameters: tuple[Any, ...]) -> sqlite3.Cursor:
        if self._reader is None or self._closed:
            raise StoreError("the store is closed")
        return self._reader.execute(query, parameters)

    def _commit_pending(self) -> None:
        group, self._pending = self._pending, []
        loop = asyncio.get_running_loop()
        records = [record for record, _ in group]
        try:
            job = self._worker.submit(self._commit, records)
        except RuntimeError:  # the store was closed between put and here
            self._wake(group, StoreError("the store is closed"))
            return

        def done(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._wake, group, job.exception())

        job.add_done_callback(done)

    def _wake(
        self, group: list[tuple[Payment | Refund, asyncio.Future[None]]], error: BaseException | None
    ) -> None:
        if self._pending and not self._closed:
            self._commit_pending()
        else:
            self._committing = False
            self._settled.set()
        for _, future in group:
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(StoreError(f"the platform's store cannot be written: {error}"))

    def _commit(self, records: Iterable[Payment | Refund]) -> None:
        """In the worker thread: one transaction for the whole group."""
        connection = self._writer
        assert connection is not None
        connection.execute("BEGIN IMMEDIATE")
        try:
            for record in records:
                if isinstance(record, Payment):
                    connection.execute(_PUT_PAYMENT, _payment_row(record))
                else:
                    connection.execute(_PUT_REFUND, _refund_row(record))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _connect(path: Path) -> sqlite3.Connection:
    # Each connection is used by one thread at a time; isolation_level=None: transactions are ours.
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _payment_row(payment: Payment) -> tuple[Any, ...]:
    return (
        payment.id,
        payment.order_id,
        payment.amount_minor,
        payment.currency,
        payment.method,
        payment.instrument,
        payment.status,
        payment.gateway,
        payment.reference,
        payment.decline_code,
        payment.error,
    )


def _refund_row(refund: Refund) -> tuple[Any, ...]:
    return (
        refund.id,
        refund.payment_id,
        refund.amount_minor,
        refund.whole,
        refund.status,
        refund.reference,
        refund.error,
    )


def _refund(row: tuple[Any, ...]) -> Refund:
    id, payment_id, amount_minor, whole, status, reference, error = row
    return Refund(id, payment_id, amount_minor, bool(whole), status, reference, error)
