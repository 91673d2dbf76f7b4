"""A sandbox as a process: the proxy in front of it, and its records when the drill has ended."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from pathlib import Path

from journal.clock import SECOND, Clock
from journal.records import Mark
from journal.tether import Message
from journal.writer import Writer
from mocks.outbound import Answer, Call, Client
from mocks.platform.connectors.connector import Caller
from mocks.proxy.origin import trust
from mocks.proxy.service import ProxyService
from mocks.sandboxes import SANDBOXES
from mocks.sandboxes.keys import Credentials, read
from mocks.sandboxes.records import UNREAD, RecordsError, Run, counted
from mocks.sandboxes.sandbox import Notes, Sandbox

_CALL_LIMIT_NS = 30 * SECOND


class SandboxService(ProxyService):
    """A proxy in front of a gateway's sandbox (``mocks.process.Service``).

    Args:
        environ: Where the keys are.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self._environ = environ
        self._sandbox: Sandbox | None = None
        self._credentials: Credentials | None = None
        self._notes: Notes | None = None
        self._run = ""
        self._name = ""
        self._address: tuple[str, int] | None = None
        self._authority: str | None = None
        self._clock = Clock(0)
        self._since = 0.0
        self._writer: Writer | None = None

    async def start(self, plan: Message) -> Message:
        """Serve the proxy.

        The plan's keys: ``gateway`` (a name of ``SANDBOXES``), ``run`` (the prefix of the run's order ids),
        ``requests`` and ``period_s`` (what is asked of the sandbox at most), ``address`` (``host:port`` that
        stands in for the sandbox's own; None: its own), ``authority`` (the path of a PEM file; None: the
        system's), and of ``ProxyService`` ``name``, ``host``, ``port``, ``seed``, ``region``, ``faults`` and
        ``admin_port``.

        Raises:
            KeysError: The sandbox's keys are not in the environment, or are no test keys.
            OSError, ValueError: As ``ProxyService.start``.
        """
        name = str(plan.get("gateway"))
        if name not in SANDBOXES:
            raise ValueError(f"there is no sandbox of {name!r}; there are those of {', '.join(SANDBOXES)}")
        sandbox = self._sandbox = SANDBOXES[name]
        self._name = str(plan.get("name", name))
        self._run = str(plan["run"])
        self._credentials = read(sandbox.keys, self._environ)
        self._authority = plan.get("authority")
        to = f"https://{sandbox.host}"
        resolve = []
        if plan.get("address"):
            address, _, port = str(plan["address"]).rpartition(":")
            self._address = (address.strip("[]"), int(port))
            to = f"{to}:{port}"
            resolve.append(f"{sandbox.host}:{port}:{address}")
        proxied = {key: plan[key] for key in _HANDED_ON if key in plan}
        pace = {"requests": plan["requests"], "period_s": plan["period_s"]}
        ready = await super().start(
            {**proxied, "to": to, "resolve": resolve, "as": name, "pace": pace, "authority": self._authority}
        )
        assert self.proxy is not None
        self._notes = self.proxy.records.notes = sandbox.notes()
        return {**ready, "webhook_secret": ""}

    def go(self, clock: Clock, writer: Writer | None) -> None:
        """The run begins; see ``ProxyService.go``."""
        super().go(clock, writer)
        self._clock, self._writer = clock, writer
        self._since = time.time() - clock.now_ns() / SECOND

    async def read_records(self) -> None:
        """Write down what the sandbox knows of the run: its movements, where they come from, what cannot be
        known. When they cannot be read, that is written down."""
        assert self._sandbox is not None and self._credentials is not None and self._notes is not None
        client = self._client()
        caller = self._sandbox.caller(client, self._credentials)
        try:
            records = await self._sandbox.records(
                lambda call: self._ask(caller, call), Run(self._run, self._since), self._notes
            )
        except (RecordsError, KeyError, TypeError, ValueError) as error:
            # A form that is not the documented one must not end the drill; its text may quote an account.
            why = str(error) if isinstance(error, RecordsError) else "they are not of the documented form"
            self._mark(f"{UNREAD}: {why}")
            return
        finally:
            await caller.close()
        epoch_ns = round(self._since * SECOND)
        if self._writer is not None:
            for movement in records.movements:
                self._writer.write(movement._replace(gateway=self._name, at_ns=movement.at_ns - epoch_ns))
        if records.missing:
            self._mark(f"{UNREAD}: {records.missing}")
        self._mark(counted(records))

    def _client(self) -> Client:
        assert self._sandbox is not None
        authority = None if self._authority is None else Path(self._authority)
        url = f"https://{self._sandbox.host}"
        if self._address is not None:
            url = f"{url}:{self._address[1]}"
        address = None if self._address is None else self._address[0]
        return Client(url, connect_timeout_ns=10 * SECOND, tls=trust(authority), address=address)

    async def _ask(self, caller: Caller, call: Call) -> Answer:
        """Call the sandbox in turn with what passes through the proxy."""
        assert self.proxy is not None and self.proxy.pace is not None
        await self.proxy.pace.wait(math.inf)
        return await caller.call(call, _CALL_LIMIT_NS)

    def _mark(self, text: str) -> None:
        if self._writer is not None:
            self._writer.write(Mark(self._clock.now_ns(), "note", self._name, text))


_HANDED_ON = ("name", "host", "port", "seed", "region", "faults", "admin_port")
