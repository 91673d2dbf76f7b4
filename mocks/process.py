"""The child process of a mock: takes its plan from the tether, serves, journals, and ends when told.

The conversation, one JSON message a line:

- conductor: ``{"plan": {"role": ..., "name": ..., "journal": <folder> | null, ...}}``, the rest is the role's
- child: ``{"ready": {"port": ...}}``, or ``{"failed": {"error": ...}}`` and the end with exit code 4
- conductor: ``{"go": {"epoch_ns": ...}}``, the reading of ``time.monotonic_ns()`` at the run's time zero,
  which may lie ahead. The journal is written from here on.
- conductor, at any time: ``{"prepare": {"role": ...}}``, a plan for this role will come and shall not wait
  for imports; ``{"clear": {}}``, no fault is to be on any more; ``{"restart": {}}``, end as at SIGTERM,
  another process will go on
- conductor, when the platform has settled: ``{"records": {}}``, to who stands before a sandbox: read what it
  knows of the run; child, when that is written down: ``{"records": {}}``

A plan may hold ``process``, the name in the journal of a process that goes on where another one ended, and
``go``, when the run has begun already.

SIGTERM flushes and ends with exit code 0; so does the end of the tether. SIGINT is ignored: on Ctrl-C the
terminal tells every process of the group, and the conductor decides what that means for its children.
"""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

import uvloop

from journal.clock import Clock
from journal.tether import Message, Tether, TetherBrokenError
from journal.writer import FLUSH_EVERY, Writer
from mocks.garbage import freeze_survivors

STOP_LIMIT = 5.0
"""Seconds that a service may take to stop before the process ends without it."""

ENVIRONMENT_BROKE = 4
USAGE = 2


class Service(Protocol):
    """What a role implements; everything happens on one event loop."""

    async def start(self, plan: Message) -> Message:
        """Bind, and return what ``ready`` carries (``{"port": ...}``).

        Raises:
            OSError: The environment does not allow it (a port in use); its text is told to the conductor.
            ValueError: The plan cannot be followed.
        """

    def go(self, clock: Clock, writer: Writer | None) -> None:
        """The run begins: record from here on. ``writer`` is None when no journal is wanted; the lifecycle
        flushes and closes it."""

    async def stop(self) -> None:
        """Finish what is in flight within a second or so, and close."""


@runtime_checkable
class Delivering(Protocol):
    """A service that delivers webhooks, to URLs that are known only when their receiver is ready."""

    def deliver(self, webhooks: Message) -> None:
        """Deliver from here on. Raises ValueError for a URL that is not on loopback."""


@runtime_checkable
class Faulty(Protocol):
    """A service that injects faults into itself."""

    def clear(self) -> None:
        """End every fault, and let none start any more."""


@runtime_checkable
class Continued(Protocol):
    """A service that must know whether its end is the end of the run."""

    def hand_on(self) -> None:
        """It will end, but not the run: another process will go on."""


@runtime_checkable
class Recorded(Protocol):
    """A service whose truth lies elsewhere, and is read when the load has ended."""

    async def read_records(self) -> None:
        """Read it, and write it down; that it could not be read is written down, too."""


ROLES = {
    "approving_platform": "mocks.approving_platform:ApprovingPlatform",
    "gateway": "mocks.gateways.service:GatewayService",
    "platform": "mocks.platform.process:Platform",
    "proxy": "mocks.proxy.service:ProxyService",
    "sandbox": "mocks.sandboxes.service:SandboxService",
}
"""Role -> module and class of its service, imported when the plan names it."""


def service_of(role: str) -> Service:
    """Raises ValueError for a role that does not exist."""
    if role not in ROLES:
        raise ValueError(f"there is no role {role!r}; the roles are {', '.join(ROLES)}")
    module, _, name = ROLES[role].partition(":")
    return cast(Service, getattr(importlib.import_module(module), name)())


class Child:
    """The lifecycle of one child process, from its plan to its end."""

    def __init__(self, tether: Tether) -> None:
        self._tether = tether
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._service: Service | None = None
        self._plan: Message = {}
        self._writer: Writer | None = None
        self._flushing: asyncio.TimerHandle | None = None
        self._complained = False

    async def run(self) -> int:
        """Serve until told to end.

        Returns:
            The exit code.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._messages.put_nowait, None)
        threading.Thread(target=self._listen, args=(loop,), name="tether", daemon=True).start()
        try:
            return await self._converse()
        except TetherBrokenError:
            return 0
        finally:
            await self._end()

    async def _converse(self) -> int:
        while (message := await self._messages.get()) is not None:
            if "plan" in message:
                if not await self._start(message["plan"]):
                    return ENVIRONMENT_BROKE
            elif "webhooks" in message and isinstance(self._service, Delivering):
                self._service.deliver(message["webhooks"])
            elif "prepare" in message:
                service_of(str(message["prepare"].get("role")))
            elif "clear" in message:
                if isinstance(self._service, Faulty):
                    self._service.clear()
            elif "restart" in message:
                if isinstance(self._service, Continued):
                    self._service.hand_on()
                break
            elif "records" in message and isinstance(self._service, Recorded):
                await self._service.read_records()
                self._tether.send({"records": {}})
            elif "go" in message and self._service is not None and self._flushing is None:
                self._go(int(message["go"]["epoch_ns"]))
            else:
                sys.stderr.write(f"a message that means nothing here: {', '.join(message)}\n")
        await self._end()
        return ENVIRONMENT_BROKE if self._writer is not None else 0

    async def _start(self, plan: Message) -> bool:
        self._plan = plan
        try:
            self._service = service_of(str(plan.get("role")))
            ready = await self._service.start(plan)
            if "go" in plan:
                # Callers know the port already: what they are answered must be in the journal.
                self._go(int(plan["go"]["epoch_ns"]))
        except (OSError, ValueError) as error:
            self._tether.send({"failed": {"error": str(error)}})
            return False
        except Exception as error:
            traceback.print_exc()
            self._tether.send({"failed": {"error": f"{type(error).__name__}: {error}"}})
            return False
        self._tether.send({"ready": ready})
        return True

    def _go(self, epoch_ns: int) -> None:
        assert self._service is not None
        folder = self._plan.get("journal")
        if folder is not None:
            self._writer = Writer(Path(folder), str(self._plan.get("process", self._plan["name"])))
        freeze_survivors()
        self._service.go(Clock(epoch_ns), self._writer)
        self._flush_and_again()

    def _flush_and_again(self) -> None:
        self._flush()
        self._flushing = asyncio.get_running_loop().call_later(FLUSH_EVERY, self._flush_and_again)

    def _flush(self) -> None:
        # A full disk must not stop the service: the records stay in memory and are tried again.
        if self._writer is not None:
            try:
                self._writer.flush()
            except OSError as error:
                self._complain(error)

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            sys.stderr.write(f"{self._plan['name']}: the journal cannot be written, trying on: {error}\n")
            sys.stderr.flush()

    async def _end(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
        service, self._service = self._service, None
        if service is not None:
            try:
                async with asyncio.timeout(STOP_LIMIT):
                    await service.stop()
            except Exception:
                traceback.print_exc()
        if self._writer is not None:
            try:
                self._writer.close()
            except OSError as error:
                self._complained = False
                self._complain(error)
            else:
                self._writer = None

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        message: Message | None
        while True:
            try:
                message = self._tether.receive()
            except TetherBrokenError:
                message = None
            try:
                loop.call_soon_threadsafe(self._messages.put_nowait, message)
            except RuntimeError:
                return  # the loop has closed: the process is ending
            if message is None:
                return


def main() -> int:
    """Be a child process; the return value is its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tether = Tether.of_this_process()
    if tether is None:
        sys.stderr.write(
            "this process is started by paydrill; to serve a mock by hand, use `paydrill mock`\n"
        )
        return USAGE
    return uvloop.run(Child(tether).run())


if __name__ == "__main__":
    sys.exit(main())
