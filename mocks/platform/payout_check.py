"""The check for payouts that no event told of: one whose webhook was lost is in the gateway's list only."""

from __future__ import annotations

import asyncio
import sys

from journal.clock import SECOND
from mocks.platform.inbox import Inbox, LaterError
from mocks.platform.store import Store, StoreError

EVERY_NS = 5 * SECOND
"""Time between two looks. A merchant looks once a day; a drill has no day."""


class PayoutCheck:
    """Looks at the gateways' lists of payouts, and books those that are not in the ledger.

    Only gateways whose webhooks are taken are asked: for the others, payouts are nobody's business here.
    Adyen and PayPal have no such list; a settlement report of Adyen's whose webhook is lost stays unknown.

    Args:
        store: Where payouts are booked.
        inbox: Books them.
        every_ns: Time between two looks.
    """

    def __init__(self, store: Store, inbox: Inbox, every_ns: int = EVERY_NS) -> None:
        self._store = store
        self._inbox = inbox
        self._every_ns = every_ns
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on; the first time after ``every_ns``."""
        if any(map(self._inbox.listens_to, self._inbox.gateways)):
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Look once at every gateway."""
        for name, gateway in self._inbox.gateways.items():
            if not self._inbox.listens_to(name):
                continue
            for reference in await gateway.payouts():
                if not self._store.booked("payout", name, reference):
                    try:
                        await self._inbox.book_payout(name, reference)
                    except LaterError:
                        break  # it does not answer now; the next look will find them again

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every_ns / SECOND)
            try:
                await self.look()
            except StoreError as error:
                sys.stderr.write(f"a payout could not be stored: {error}\n")
