"""The store: the platform's records in one SQLite file, written in groups, durable before they are spoken of.

Writes are collected on the event loop. A group of them is written there in one transaction, and a worker
thread commits it while the next group collects. A group collects for at least ``PACE``, so that under load it
carries dozens of payments, which share the price of a commit and its fsync.

Only the commit waits for the disk, so only the commit is the thread's: each statement that it executed would
have to win Python's lock back from a loop that is busy, and that takes milliseconds.

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

from mocks.platform import tables
from mocks.platform.entry import Entry, Event
from mocks.platform.payment import UNDECIDED, Payment, Refund
from mocks.platform.tables import Record

PACE = 0.01
"""Seconds from the start of one commit to that of the next, at least. A write that finds the store at rest is
committed at once."""

CACHE_KIB = 64 << 10
"""How much of the file a connection keeps in memory: the indexes of ids, into which every payment is put at a
random place, are soon larger than SQLite's own 2 MiB."""


class StoreError(OSError):
    """The store could not be opened, or could not make a write durable: none of its group was stored."""


class Store:
    """Payments, refunds and ledger entries on disk. To be used from one event loop.

    Reads are point look-ups on a connection of their own (WAL: they never wait for a commit) and see what
    has been committed, nothing else.

    Args:
        path: The SQLite file; made if it isn't there. It is this store's alone: while somebody else holds the
            lock for writing, the loop waits for it, up to five seconds.

    Raises:
        StoreError: The file cannot be opened, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: list[tuple[Record, asyncio.Future[None]]] = []
        self._committing = False
        self._timer: asyncio.Handle | None = None  # set while a group collects
        self._next = 0.0  # when the next group may be committed, by the loop's clock
        self._settled = asyncio.Event()
        self._settled.set()
        self._closed = False
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        try:
            self._writer = _connect(path)
            self._writer.executescript(tables.SCHEMA)
            self._reader = _connect(path)
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"the platform's store {path} cannot be opened: {error}") from error

    def put(self, record: Record) -> asyncio.Future[None]:
        """Write a new record, or the new state of a known payment or refund; an entry or an event that is
        known is left as it is.

        Returns:
            A future that is done once the record is durable. It fails with StoreError when it could not be
            made so.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._closed:
            future.set_exception(StoreError("the store is closed"))
            return future
        self._pending.append((record, future))
        if not self._committing and self._timer is None:
            self._settled.clear()
            self._collect()
        return future

    def payment(self, id: str) -> Payment | None:
        """The payment of that id as last committed."""
        row = self._rows(tables.PAYMENTS + "WHERE id = ?", (id,)).fetchone()
        return None if row is None else Payment(*row)

    def known(self, id: str, order_id: str) -> list[Payment]:
        """The payment of that id, if there is one, and every payment of that order."""
        rows = self._rows(tables.PAYMENTS + "WHERE id = ? OR order_id = ?", (id, order_id))
        return [Payment(*row) for row in rows.fetchall()]

    def payments_of_order(self, order_id: str) -> list[Payment]:
        """Every payment that was asked for under that order, in the order of creation."""
        return [
            Payment(*row)
            for row in self._rows(tables.PAYMENTS + "WHERE order_id = ? ORDER BY seq", (order_id,)).fetchall()
        ]

    def payment_at(self, gateway: str, reference: str) -> Payment | None:
        """The payment that a gateway knows by its own id."""
        row = self._rows(
            tables.PAYMENTS + "WHERE reference = ? AND gateway = ?", (reference, gateway)
        ).fetchone()
        return None if row is None else Payment(*row)

    def refund_at(self, gateway: str, reference: str) -> Refund | None:
        """The refund that a gateway knows by its own id."""
        rows = self._rows(tables.REFUNDS + "WHERE reference = ?", (reference,)).fetchall()
        for row in rows:
            refund = tables.refund(row)
            payment = self.payment(refund.payment_id)
            if payment is not None and payment.gateway == gateway:
                return refund
        return None

    def acted_on(self, event: Event) -> bool:
        """Whether this event has been put."""
        query = "SELECT 1 FROM events WHERE gateway = ? AND id = ?"
        return self._rows(query, (event.gateway, event.id)).fetchone() is not None

    def booked(self, kind: str, gateway: str, reference: str) -> bool:
        """Whether there is an entry of this kind with this reference."""
        query = "SELECT 1 FROM entries WHERE kind = ? AND gateway = ? AND reference = ?"
        return self._rows(query, (kind, gateway, reference)).fetchone() is not None

    def refund(self, id: str) -> Refund | None:
        """The refund of that id as last committed."""
        row = self._rows(tables.REFUNDS + "WHERE id = ?", (id,)).fetchone()
        return None if row is None else tables.refund(row)

    def refunds_of(self, payment_id: str) -> list[Refund]:
        """Every refund of a payment, in the order of creation."""
        rows = self._rows(tables.REFUNDS + "WHERE payment_id = ? ORDER BY seq", (payment_id,))
        return [tables.refund(row) for row in rows.fetchall()]

    def undecided_payments(self) -> list[Payment]:
        """Payments that are pending or unknown, in the order of creation."""
        return [
            Payment(*row)
            for row in self._rows(
                tables.PAYMENTS + "WHERE status IN (?, ?) ORDER BY seq", UNDECIDED
            ).fetchall()
        ]

    def undecided_refunds(self) -> list[Refund]:
        """Refunds that are pending or unknown, in the order of creation."""
        rows = self._rows(tables.REFUNDS + "WHERE status IN (?, ?) ORDER BY seq", UNDECIDED)
        return [tables.refund(row) for row in rows.fetchall()]

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
        rows = self._rows(
            tables.PAYMENTS + "WHERE seq BETWEEN ? AND ? ORDER BY seq", (sequence[0], sequence[-1])
        )
        return [Payment(*row) for row in rows.fetchall()], sequence[-1] if len(sequence) == limit else None

    def entries(self, after: int, limit: int) -> tuple[list[Entry], int | None]:
        """A page of the entries besides payments, in the order of arrival; see ``page``."""
        rows = self._rows(
            "SELECT seq, kind, gateway, reference, order_id, amount_minor, currency FROM entries "
            "WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, limit),
        ).fetchall()
        return [Entry(*row[1:]) for row in rows], rows[-1][0] if len(rows) == limit else None

    async def drain(self) -> None:
        """Wait until everything that was put is durable, or has failed."""
        await self._settled.wait()

    def close(self) -> None:
        """Close the file; a group that is being committed is finished first. What was put and not committed
        is told so."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
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

    def _collect(self) -> None:
        """Commit what is pending, when that may be. Never at once: what else this step of the loop writes
        shall be in the same group."""
        loop = asyncio.get_running_loop()
        wait = self._next - loop.time()
        if wait <= 0:
            self._timer = loop.call_soon(self._commit_pending)
        else:
            self._timer = loop.call_later(wait, self._commit_pending)

    def _commit_pending(self) -> None:
        self._timer = None
        self._committing = True
        group, self._pending = self._pending, []
        loop = asyncio.get_running_loop()
        self._next = loop.time() + PACE
        try:
            self._write([record for record, _ in group])
            job = self._worker.submit(self._commit)
        except Exception as error:
            self._wake(group, error)
            return

        def done(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._wake, group, job.exception())

        job.add_done_callback(done)

    def _wake(self, group: list[tuple[Record, asyncio.Future[None]]], error: BaseException | None) -> None:
        self._committing = False
        if self._pending and not self._closed:
            self._collect()
        else:
            self._settled.set()
        for _, future in group:
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(StoreError(f"the platform's store cannot be written: {error}"))

    def _write(self, records: Iterable[Record]) -> None:
        """Begin a transaction that holds the whole group; nothing waits for the disk."""
        connection = self._writer
        if connection is None or self._closed:
            raise StoreError("the store is closed")
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement, rows in tables.puts(records):
                connection.executemany(statement, rows)
        except BaseException:
            _roll_back(connection)
            raise

    def _commit(self) -> None:
        """In the worker thread: end the transaction, and wait until it is on the disk."""
        connection = self._writer
        assert connection is not None
        try:
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _connect(path: Path) -> sqlite3.Connection:
    # Each connection is used by one thread at a time; isolation_level=None: transactions are ours.
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
