"""The platform as a service: put together from its plan, started, recovered, stopped."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from pathlib import Path

from journal.clock import SECOND, Clock
from journal.records import Mark
from journal.tether import Message
from journal.writer import Writer
from mocks.http import Server
from mocks.outbound import Client
from mocks.platform.app import App
from mocks.platform.breaker import Breaker, State
from mocks.platform.connectors import CONNECTORS, Connector
from mocks.platform.gateway import Gateway, Patience
from mocks.platform.inbox import Inbox
from mocks.platform.janitor import Janitor
from mocks.platform.payments import Payments
from mocks.platform.payout_check import PayoutCheck
from mocks.platform.refunds import Refunds
from mocks.platform.retries import Backoff
from mocks.platform.router import ranking
from mocks.platform.store import Store

GRACE = 2.0
"""Seconds that payments under way may take to end when the platform is stopped."""


SWITCH_INTERVAL = 0.001
"""Seconds after which the store's thread, back from the disk, takes Python's lock from a busy loop. By
the usual five milliseconds a commit would take several times as long as its fsync."""


class Platform:
    """The reference platform (``mocks.process.Service``).

    Its plan: ``{"host", "port", "seed", "store": <path of the SQLite file>, "timeout_ns": <per call>,
    "gateways": [{"name", "url", "weight", "authority": <path of the certificate to trust, for an https
    URL>, "webhook_secret", "sandbox": <its keys are in the environment>}, ...]}``. The webhooks of a gateway
    without a secret are not taken.
    """

    def __init__(self) -> None:
        self._clock: Clock | None = None
        self._writer: Writer | None = None
        self._name = "platform"
        self._server: Server | None = None
        self._store: Store | None = None
        self._gateways: dict[str, Gateway] = {}
        self._janitor: Janitor | None = None
        self._payouts: PayoutCheck | None = None
        self._app: App | None = None

    async def start(self, plan: Message) -> Message:
        """Open the store, listen, and take up what an earlier process left undecided.

        Raises:
            OSError: The store cannot be opened, or the port is in use.
            ValueError: The plan names a gateway that there is no connector for, or none at all.
        """
        seed = int(plan["seed"])
        weights = {str(entry["name"]): float(entry["weight"]) for entry in plan["gateways"]}
        ranking("", seed, weights)  # raises ValueError when nothing can be routed by these weights
        for entry in plan["gateways"]:
            self._gateways[entry["name"]] = self._gateway(
                entry, seed, int(plan.get("timeout_ns", 2 * SECOND))
            )
        self._name = str(plan.get("name", self._name))
        sys.setswitchinterval(SWITCH_INTERVAL)
        store = self._store = Store(Path(plan["store"]))
        janitor = self._janitor = Janitor(self._gateways)
        payments = janitor.payments = Payments(store, self._gateways, weights, seed, janitor.take_payment)
        refunds = janitor.refunds = Refunds(store, self._gateways, janitor.take_refund)
        left_payments, left_refunds = payments.recover(), refunds.recover()
        await asyncio.gather(*map(store.put, left_payments), *map(store.put, left_refunds))
        secrets = {str(entry["name"]): str(entry.get("webhook_secret", "")) for entry in plan["gateways"]}
        urls = {str(entry["name"]): str(entry["url"]) for entry in plan["gateways"]}
        inbox = Inbox(payments, refunds, janitor, self._gateways, secrets, urls)
        self._payouts = PayoutCheck(store, inbox)
        self._app = App(payments, refunds, janitor, inbox)
        self._server = Server(
            self._app, host=str(plan.get("host", "127.0.0.1")), port=int(plan.get("port", 0))
        )
        port = await self._server.start()
        for payment in left_payments:
            janitor.take_payment(payment)
        for refund in left_refunds:
            janitor.take_refund(refund)
        self._payouts.start()
        return {"port": port}

    def go(self, clock: Clock, writer: Writer | None) -> None:
        """The run begins: breaker changes are marked in the journal from here on."""
        self._clock = clock
        self._writer = writer

    async def stop(self) -> None:
        """Take no more payments, finish those under way, close the store."""
        if self._server is not None:
            await self._server.stop(grace=GRACE)
        if self._app is not None:
            await self._app.finish(0.2)  # payments whose client has gone
        if self._payouts is not None:
            await self._payouts.close()
        if self._janitor is not None:
            await self._janitor.close()
        for gateway in self._gateways.values():
            await gateway.client.close()
        if self._store is not None:
            await self._store.drain()
            self._store.close()

    def _gateway(self, entry: Message, seed: int, timeout_ns: int) -> Gateway:
        name = str(entry["name"])
        if name not in CONNECTORS:
            raise ValueError(f"the platform has no connector for {name!r}; it has {', '.join(CONNECTORS)}")
        connector = _connector(name, sandbox=bool(entry.get("sandbox")))
        return Gateway(
            connector,
            connector.connect(Client(str(entry["url"]), tls=_trusting(entry.get("authority")))),
            Breaker(on_change=lambda state: self._mark(name, state)),
            Backoff(seed=seed),
            Patience(timeout_ns=timeout_ns),
        )

    def _mark(self, gateway: str, state: State) -> None:
        if self._writer is not None and self._clock is not None:
            text = f"{gateway}: breaker {state}"
            self._writer.write(Mark(self._clock.now_ns(), "note", self._name, text))


def _connector(name: str, *, sandbox: bool) -> Connector:
    """Raises KeysError when the keys of a sandbox are not in the environment, or are no test keys."""
    if not sandbox:
        return CONNECTORS[name]()
    # Who pays through mocks alone need not load what sandboxes need.
    from mocks.sandboxes import SANDBOXES
    from mocks.sandboxes.keys import read

    keys = SANDBOXES[name].keys
    return CONNECTORS[name](**read(keys, os.environ).arguments(keys))


def _trusting(authority: str | None) -> ssl.SSLContext | None:
    return None if authority is None else ssl.create_default_context(cafile=authority)
