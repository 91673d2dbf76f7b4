"""A gateway as a process: its server, its faults on the timeline, its journal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path

from journal.clock import Clock
from journal.tether import Message
from journal.writer import Writer
from mocks.admin import Admin
from mocks.admin_interface import check_host
from mocks.faults import planned
from mocks.faults.control import FaultControl
from mocks.faults.schedule import FaultSchedule
from mocks.gateways import GATEWAYS
from mocks.gateways.deliveries import deliver
from mocks.gateways.gateway import Gateway
from mocks.gateways.past import Past
from mocks.gateways.recorder import Recorder, Unsent
from mocks.http import Server
from mocks.latency import from_message
from mocks.state import StateError, StateFile
from mocks.tls_files import tls_options

_NOT_KEPT = "changes what happens inside the gateway, which its state file could not do again"


class GatewayService:
    """One gateway behind one server; implements ``mocks.process.Service``."""

    def __init__(self) -> None:
        self.gateway: Gateway | None = None
        self.server: Server | None = None
        self.schedule: FaultSchedule | None = None
        self.admin: Server | None = None
        self._plan: Message = {}
        self._recorder: Recorder | None = None
        self._past: Past | None = None
        self._goes_on = False
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self, plan: Message) -> Message:
        """Serve a gateway.

        The plan's keys: ``gateway`` (a name of ``GATEWAYS``), ``name`` (for the journal, the gateway's when
        left out), ``host``, ``port`` (0: any), ``seed``, ``latency`` (see
        ``mocks.latency.from_message``), ``faults`` (a list of ``FaultPlan`` messages),
        ``admin_port`` (serve ``mocks.admin`` on this port, 0: any; ``ready`` tells it), ``admin_host`` (on
        this address; loopback when left out) and ``admin_token`` (what its requests must carry; needed
        elsewhere),
        ``webhooks`` (``urls`` on loopback, and as they are wanted ``jitter_s`` and ``doubled``; see
        ``Outbox.deliver_to``),
        ``rate_limit`` (true: refuse what is beyond the gateway's own limits; a number: instead of them, so
        many requests in the gateway's own period; see ``RateLimit.enforce``),
        ``capacity`` (requests carried at a time at the gateway's own latency; see ``Gateway``),
        ``region`` (the one that it serves; None: none),
        ``clock_speed`` (seconds of the mock's clock to a real one; see ``MockClock.run_at``),
        ``settlement`` (``timed``: what settles later does so by the mock's clock; see
        ``Gateway.settle_by_time``),
        ``state`` (the path of a file from which the gateway takes up its state, and to which it writes every
        change; see ``mocks.gateways.recorder``), with ``earlier`` (the names in the journal of the processes
        that had this state before, in this run; what their journal lacks is added to this one's),
        ``tls`` (``certificate`` and ``key``, the paths of PEM files: serve HTTPS with these).

        Raises:
            PortInUseError: Another process listens on the port.
            ValueError: The plan cannot be followed, or the state file cannot be used.
        """
        self._plan = plan
        kind = plan.get("gateway")
        if kind not in GATEWAYS:
            raise ValueError(f"there is no gateway {kind!r}; the gateways are {', '.join(GATEWAYS)}")
        seed = int(plan.get("seed", 0))
        name = str(plan.get("name", kind))
        gateway = GATEWAYS[kind].make(name, from_message(plan.get("latency")), seed)
        endpoints = GATEWAYS[kind].endpoints
        plans = planned(plan.get("faults"), str(kind), endpoints)
        self.server = Server(
            gateway,
            host=plan.get("host", "127.0.0.1"),
            port=int(plan.get("port", 0)),
            **tls_options(plan.get("tls")),
        )
        gateway.server = self.server
        self.schedule = FaultSchedule(
            plans, gateway, seed, name, not_inside=_NOT_KEPT if plan.get("state") is not None else ""
        )
        gateway.faults = self.schedule.active
        self.gateway = gateway
        if plan.get("state") is not None:
            identity = {
                "gateway": kind,
                "name": name,
                "seed": seed,
                "settlement": plan.get("settlement"),
                "paydrill": version("paydrill"),
            }
            try:
                file = StateFile(Path(plan["state"]), identity)
                self._recorder = Recorder(gateway, file, _end_process)
                if plan.get("earlier"):
                    clock = Clock(int(plan["go"]["epoch_ns"]))
                    self._past = self._recorder.past = Past(name, clock)
                    gateway.begin(clock, self._past)
                try:
                    self._configure()
                except BaseException:
                    file.close()
                    self._recorder = None
                    raise
            except StateError as error:
                raise ValueError(str(error)) from error
            if file.dropped:
                sys.stderr.write(
                    f"{file.path}: {file.dropped} bytes at the end were half a record, and dropped\n"
                )
        else:
            self._configure()
        ready = {"port": await self.server.start()}
        if plan.get("admin_port") is not None:
            host, token = str(plan.get("admin_host", "127.0.0.1")), str(plan.get("admin_token", ""))
            check_host(host, token)
            faults = FaultControl(self.schedule, name, endpoints)
            admin = Admin(gateway, self.reset, faults.routes, token)
            self.admin = Server(admin, host=host, port=int(plan["admin_port"]))
            ready["admin_port"] = await self.admin.start()
        return {**ready, "webhook_secret": gateway.webhook_secret}

    def reset(self) -> None:
        """Everything as at the start: the gateway forgets, and so does its state file."""
        assert self.gateway is not None
        outbox = self.gateway.outbox
        self.gateway.begin_anew()
        closing = asyncio.get_running_loop().create_task(outbox.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        self._configure(anew=True)

    def _configure(self, *, anew: bool = False) -> None:
        """Set what the plan says about a gateway that nothing has happened to; take up its state, if it is to
        have one."""
        assert self.gateway is not None
        plan, gateway = self._plan, self.gateway
        webhooks = plan.get("webhooks") or {"urls": ()}
        if plan.get("settlement") is not None:
            if plan["settlement"] != "timed":
                raise ValueError(f"there is no settlement {plan['settlement']!r}; there is timed")
            gateway.settle_by_time()
        unsent: Unsent = {}
        if self._recorder is not None:
            begin = self._recorder.restart if anew else self._recorder.start
            unsent = begin(webhooks["urls"])
        deliver(gateway.outbox, webhooks)
        if self._recorder is not None and webhooks["urls"]:
            self._recorder.deliver(webhooks)
        rate_limit = plan.get("rate_limit")
        if rate_limit:
            gateway.rate_limit.enforce(None if rate_limit is True else int(rate_limit))
        gateway.region = str(plan.get("region") or "")
        if plan.get("capacity") is not None:
            gateway.capacity = int(plan["capacity"])
            if gateway.capacity < 1:
                raise ValueError(f"a capacity of {gateway.capacity} requests would carry nothing")
        speed = plan.get("clock_speed")
        speed = 1.0 if speed is None else float(speed)
        if speed != gateway.mock_clock.speed:
            gateway.mock_clock.run_at(speed)
        gateway.outbox.resume(unsent)

    def go(self, clock: Clock, writer: Writer | None) -> None:
        """Write down what happens from here on, and set the faults' alarms."""
        assert self.gateway is not None and self.schedule is not None
        if self._past is not None and writer is not None:
            self._past.hand_over(Path(self._plan["journal"]), self._plan["earlier"], writer)
            self._past = None
        self.gateway.begin(clock, writer)
        self.schedule.arm(clock, writer.write if writer is not None else lambda event: None)

    def deliver(self, webhooks: Message) -> None:
        """Deliver events as the plan's ``webhooks`` would have said, had the URLs been known then. With
        ``events``, only those of these kinds are; one that ends in ``*`` stands for all that begin so."""
        assert self.gateway is not None
        # Kept as if it had been planned: a reset must not forget it.
        self._plan = {**self._plan, "webhooks": webhooks}
        deliver(self.gateway.outbox, webhooks)
        if self._recorder is not None:
            self._recorder.deliver(webhooks)

    def clear(self) -> None:
        """End every fault, and let none start any more."""
        assert self.schedule is not None
        self.schedule.clear()

    def hand_on(self) -> None:
        """The process ends, but not the run: another one will go on from the state file."""
        self._goes_on = True

    async def stop(self) -> None:
        """Stop the faults, answer what is in flight within a second, close."""
        if self.schedule is not None:
            self.schedule.close()
        for server in (self.admin, self.server):
            if server is not None:
                with contextlib.suppress(OSError):
                    await server.stop()
        if self.gateway is not None:
            # What falls due while the rest ends is for the next process: the state file would not tell of it.
            self.gateway.mock_clock.clear()
        if self._recorder is not None:
            self._recorder.close()
        if self.gateway is not None:
            self.gateway.close(goes_on=self._goes_on)
            await self.gateway.outbox.close()
            self.gateway.mock_clock.clear()


def _end_process() -> None:
    """A mock that can no longer keep its state ends: whoever started it is told, by its last words."""
    os.kill(os.getpid(), signal.SIGTERM)
