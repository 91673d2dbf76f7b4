"""A gateway as a process: its server, its faults on the timeline, its journal."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

from journal.clock import Clock
from journal.tether import Message
from journal.writer import Writer
from mocks import tls
from mocks.admin import Admin
from mocks.faults import FaultPlan
from mocks.faults.schedule import FaultSchedule
from mocks.gateways import GATEWAYS
from mocks.gateways.gateway import Gateway
from mocks.http import Server
from mocks.latency import from_message


class GatewayService:
    """One gateway behind one server; implements ``mocks.process.Service``."""

    def __init__(self) -> None:
        self.gateway: Gateway | None = None
        self.server: Server | None = None
        self.schedule: FaultSchedule | None = None
        self.admin: Server | None = None

    async def start(self, plan: Message) -> Message:
        """Serve a gateway.

        The plan's keys: ``gateway`` (a name of ``GATEWAYS``), ``name`` (for the journal, the gateway's when
        left out), ``host``, ``port`` (0: any), ``seed``, ``latency`` (see
        ``mocks.latency.from_message``), ``faults`` (a list of ``FaultPlan`` messages),
        ``admin_port`` (serve ``mocks.admin`` on this loopback port, 0: any; ``ready`` tells it),
        ``webhooks`` (``urls`` on loopback, and as they are wanted ``jitter_s`` and ``doubled``; see
        ``Outbox.deliver_to``),
        ``rate_limit`` (true: refuse what is beyond the gateway's own limits; a number: instead of them, so
        many requests in the gateway's own period; see ``RateLimit.enforce``),
        ``clock_speed`` (seconds of the mock's clock to a real one; see ``MockClock.run_at``),
        ``settlement`` (``timed``: what settles later does so by the mock's clock; see
        ``Gateway.settle_by_time``),
        ``tls`` (``certificate`` and ``key``, the paths of PEM files: serve HTTPS with these).

        Raises:
            PortInUseError: Another process listens on the port.
            ValueError: The plan cannot be followed.
        """
        kind = plan.get("gateway")
        if kind not in GATEWAYS:
            raise ValueError(f"there is no gateway {kind!r}; the gateways are {', '.join(GATEWAYS)}")
        seed = int(plan.get("seed", 0))
        name = str(plan.get("name", kind))
        gateway = GATEWAYS[kind].make(name, from_message(plan.get("latency")), seed)
        plans = [FaultPlan.from_message(message) for message in plan.get("faults") or ()]
        endpoints = GATEWAYS[kind].endpoints
        for fault in plans:
            if fault.endpoint is not None and fault.endpoint not in endpoints:
                known = ", ".join(endpoints)
                raise ValueError(f"fault {fault.id}: {kind} has no {fault.endpoint!r}; it has {known}")
        self.schedule = FaultSchedule(plans, gateway, seed, name)
        gateway.faults = self.schedule.active
        self.server = Server(
            gateway,
            host=plan.get("host", "127.0.0.1"),
            port=int(plan.get("port", 0)),
            tls=_tls(plan.get("tls")),
        )
        gateway.server = self.server
        webhooks = plan.get("webhooks")
        if webhooks is not None:
            gateway.outbox.deliver_to(
                webhooks["urls"],
                jitter_s=float(webhooks.get("jitter_s", 0.0)),
                doubled=float(webhooks.get("doubled", 0.0)),
            )
        rate_limit = plan.get("rate_limit")
        if rate_limit:
            gateway.rate_limit.enforce(None if rate_limit is True else int(rate_limit))
        if plan.get("clock_speed") is not None:
            gateway.mock_clock.run_at(float(plan["clock_speed"]))
        if plan.get("settlement") is not None:
            if plan["settlement"] != "timed":
                raise ValueError(f"there is no settlement {plan['settlement']!r}; there is timed")
            gateway.settle_by_time()
        self.gateway = gateway
        ready = {"port": await self.server.start()}
        if plan.get("admin_port") is not None:
            self.admin = Server(Admin(gateway), port=int(plan["admin_port"]))
            ready["admin_port"] = await self.admin.start()
        return {**ready, "webhook_secret": gateway.webhook_secret}

    def go(self, clock: Clock, writer: Writer | None) -> None:
        """Write down what happens from here on, and set the faults' alarms."""
        assert self.gateway is not None and self.schedule is not None
        self.gateway.begin(clock, writer)
        self.schedule.arm(clock, writer.write if writer is not None else lambda event: None)

    def deliver(self, webhooks: Message) -> None:
        """Deliver events as the plan's ``webhooks`` would have said, had the URLs been known then."""
        assert self.gateway is not None
        self.gateway.outbox.deliver_to(
            webhooks["urls"],
            jitter_s=float(webhooks.get("jitter_s", 0.0)),
            doubled=float(webhooks.get("doubled", 0.0)),
        )

    async def stop(self) -> None:
        """Stop the faults, answer what is in flight within a second, close."""
        if self.schedule is not None:
            self.schedule.close()
        for server in (self.admin, self.server):
            if server is not None:
                with contextlib.suppress(OSError):
                    await server.stop()
        if self.gateway is not None:
            self.gateway.close()
            await self.gateway.outbox.close()
            self.gateway.mock_clock.clear()


def _tls(files: Message | None) -> ssl.SSLContext | None:
    if files is None:
        return None
    return tls.server_context(Path(files["certificate"]), Path(files["key"]))
