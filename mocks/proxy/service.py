"""A proxy as a process: its server, its faults on the timeline, its journal."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

from journal.clock import Clock
from journal.tether import Message
from journal.writer import Writer
from mocks.admin_interface import AdminInterface, Body
from mocks.exchange import Request
from mocks.faults import planned
from mocks.faults.control import FaultControl
from mocks.faults.schedule import FaultSchedule
from mocks.gateways import GATEWAYS
from mocks.gateways.rate_limit import Limit
from mocks.http import Server
from mocks.loopback import is_loopback
from mocks.proxy.origin import Origin, origin_of, trust
from mocks.proxy.proxy import Proxy
from mocks.proxy.server import ProxyServer
from mocks.proxy.upstream import Upstream
from mocks.sandboxes.pace import Pace
from mocks.tls_files import tls_options

_NOT_INSIDE = "changes what goes on inside a gateway, which a proxy in front of one cannot; a mock can"


class ProxyService:
    """One proxy behind one server; implements ``mocks.process.Service``."""

    def __init__(self) -> None:
        self.proxy: Proxy | None = None
        self.server: ProxyServer | None = None
        self.schedule: FaultSchedule | None = None
        self.admin: Server | None = None

    async def start(self, plan: Message) -> Message:
        """Serve a proxy.

        The plan's keys: ``to`` (the base URL of the origin), ``name`` (for the journal), ``host``, ``port``
        (0: any), ``seed``, ``resolve`` (a list of ``HOST:PORT:ADDRESS``), ``authority`` (the path of a PEM
        file: whom to trust instead of the system's authorities), ``as`` (a name of ``GATEWAYS``: what stands
        behind it), ``pace`` (``requests`` in ``period_s``: what is asked of the origin at most; needed for
        any but this machine), ``region``, ``faults`` (a list of ``FaultPlan`` messages), ``admin_port``
        (serve the faults' admin interface on this loopback port, 0: any; ``ready`` tells it), ``tls``
        (``certificate`` and ``key``, the paths of PEM files: serve HTTPS with these).

        Raises:
            PortInUseError: Another process listens on the port.
            OSError: A file cannot be read.
            ValueError: The plan cannot be followed.
        """
        origin = origin_of(str(plan.get("to", "")), plan.get("resolve") or ())
        seed = int(plan.get("seed", 0))
        name = str(plan.get("name", origin.host))
        kind = plan.get("as")
        if kind is not None and kind not in GATEWAYS:
            raise ValueError(f"there is no gateway {kind!r}; the gateways are {', '.join(GATEWAYS)}")
        self.proxy = Proxy(
            name,
            Upstream(origin, _trust(origin, plan.get("authority"))),
            seed,
            kind=None if kind is None else GATEWAYS[kind],
            pace=_pace(origin, plan.get("pace")),
        )
        self.proxy.region = str(plan.get("region") or "")
        endpoints = None if kind is None else GATEWAYS[kind].endpoints
        plans = planned(plan.get("faults"), str(kind), endpoints)
        self.server = ProxyServer(
            self.proxy,
            host=plan.get("host", "127.0.0.1"),
            port=int(plan.get("port", 0)),
            **tls_options(plan.get("tls")),
        )
        self.schedule = FaultSchedule(plans, self.proxy, seed, name, not_inside=_NOT_INSIDE)
        self.proxy.faults = self.schedule.active
        ready = {"port": await self.server.start()}
        if plan.get("admin_port") is not None:
            control = FaultControl(self.schedule, name, endpoints)
            routes = {("GET", "/"): self._overview, **control.routes}
            self.admin = Server(AdminInterface(routes), port=int(plan["admin_port"]))
            ready["admin_port"] = await self.admin.start()
        return dict(ready)

    def go(self, clock: Clock, writer: Writer | None) -> None:
        """Write down what passes from here on, and set the faults' alarms."""
        assert self.proxy is not None and self.schedule is not None
        self.proxy.begin(clock, writer)
        self.schedule.arm(clock, writer.write if writer is not None else lambda event: None)

    def clear(self) -> None:
        """End every fault, and let none start any more."""
        assert self.schedule is not None
        self.schedule.clear()

    async def stop(self) -> None:
        """Stop the faults, let what is on its way be answered within a second, close."""
        if self.schedule is not None:
            self.schedule.close()
        for server in (self.admin, self.server):
            if server is not None:
                with contextlib.suppress(OSError):
                    await server.stop()
        if self.proxy is not None:
            self.proxy.close()

    def _overview(self, request: Request) -> Body:
        assert self.proxy is not None and self.server is not None
        return {
            "proxy": self.proxy.name,
            "url": self.server.url,
            "to": self.proxy.upstream.origin.url,
            "requests": self.proxy.arrived,
            "in_flight": self.proxy.in_flight,
        }


def _trust(origin: Origin, authority: str | None) -> ssl.SSLContext | None:
    if origin.scheme == "http":
        if authority is not None:
            raise ValueError(f"{origin.url} has no certificate that an authority could have signed")
        return None
    return trust(None if authority is None else Path(authority))


def _pace(origin: Origin, pace: Message | None) -> Pace | None:
    if pace is not None:
        return Pace(Limit(int(pace["requests"]), float(pace.get("period_s", 1.0))))
    if not is_loopback(origin.address):
        raise ValueError(f"{origin.host} is not this machine: it is called at an agreed pace only")
    return None
