"""The probes as a child process of the conductor: ``python -m probes.process``.

Over the tether (``journal.tether``) the conductor sends the plan::

    {"plan": {"name": "probes", "seed": 7, "run": "a1b2c3",
              "journal": "<folder>" | null,          # null: nothing is written down
              "until_ns": 90000000000 | null,        # null: until SIGTERM
              "allow_hosts": {"<host>": 10.0},       # optional: requests/s to hosts outside this machine
              "probes": [{"probe": "payment", "target": "platform", "url": "http://127.0.0.1:40125",
                          "every_ns": 1000000000, "recheck_ns": null, "timeout_ns": 2000000000,
                          "params": {}}]}}

The child answers ``{"ready": {}}``, or ``{"failed": {"error": ...}}`` and ends with exit code 4; then comes
``{"go": {"epoch_ns": 123}}``, a reading of ``time.monotonic_ns()``, usually in the near future, from which
due times count. ``seed`` is taken and not used: nothing here is drawn at random.

The journal gets a table ``probe``, and a table ``mark`` for what probes left behind. After ``until_ns`` the
process finishes what is in flight and waits for SIGTERM. SIGTERM: sends nothing new, finishes what is in
flight within the longest time-out, flushes, ends with 0. The tether closes: ends at once, flushed. SIGINT is
the conductor's to handle. A journal that cannot be written does not end it: it keeps the records, says so on
stderr, and tries again; if it still cannot be written at the end, the exit code is 4.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from journal.clock import Clock
from journal.records import Record
from journal.tether import Tether, TetherBrokenError
from journal.writer import FLUSH_EVERY, Writer
from probes.pace import Pace
from probes.plan import ProbePlan, from_message
from probes.watch import watch

ENVIRONMENT_BROKE = 4
USAGE = 2


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """What the conductor asks of this process."""

    name: str
    run: str
    journal: Path | None
    until_ns: int | None
    allow_hosts: Mapping[str, float]
    probes: tuple[ProbePlan, ...]


def parse(plan: Mapping[str, Any]) -> ProcessPlan:
    """The plan of the conductor's message.

    Raises:
        ValueError: It is wrong; the message says where.
    """
    try:
        allow_hosts = dict(plan.get("allow_hosts") or {})
        for rate in allow_hosts.values():
            Pace(rate)
        return ProcessPlan(
            name=plan["name"],
            run=plan["run"],
            journal=None if plan["journal"] is None else Path(plan["journal"]),
            until_ns=plan["until_ns"],
            allow_hosts=allow_hosts,
            probes=tuple(from_message(probe, allow_hosts) for probe in plan["probes"]),
        )
    except KeyError as error:
        raise ValueError(f"the plan needs {error.args[0]}") from error
    except TypeError as error:
        raise ValueError(f"the plan is malformed: {error}") from error


class Log:
    """The journal of this process; one that cannot be written is kept in memory and tried again."""

    def __init__(self, folder: Path | None, process: str) -> None:
        self._writer = None if folder is None else Writer(folder, process)
        self._complained = False

    def write(self, record: Record) -> None:
        if self._writer is not None:
            self._writer.write(record)

    def flush(self) -> None:
        if self._writer is not None:
            try:
                self._writer.flush()
                self._complained = False
            except OSError as error:
                if not self._complained:
                    _say(f"cannot write the journal, trying again: {error}")
                self._complained = True

    def close(self) -> bool:
        """Flush for the last time; False if something could not be written."""
        try:
            if self._writer is not None:
                self._writer.close()
        except OSError as error:
            _say(f"could not write the journal: {error}")
            return False
        return True

    async def keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            self.flush()


async def serve(plan: ProcessPlan, clock: Clock, tether: Tether) -> int:
    """Watch until the end, then wait to be ended: by SIGTERM, or by the tether.

    Returns:
        The exit code.
    """
    loop = asyncio.get_running_loop()
    stop, gone = asyncio.Event(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    tether.socket.setblocking(False)

    def listen() -> None:
        try:
            open_still = bool(tether.socket.recv(65536))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            open_still = False
        if not open_still:
            loop.remove_reader(tether.fileno())
            gone.set()

    loop.add_reader(tether.fileno(), listen)
    log = Log(plan.journal, plan.name)
    flushing = asyncio.create_task(log.keep_flushing())
    watching = asyncio.create_task(
        watch(
            plan.probes,
            clock,
            log.write,
            plan.until_ns,
            run=plan.run,
            stop=stop,
            on_note=log.write,
            allow_hosts=plan.allow_hosts,
        )
    )
    cut = asyncio.create_task(gone.wait())
    asked = asyncio.create_task(stop.wait())
    whole = False
    try:
        await asyncio.wait({watching, cut}, return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await asyncio.wait({asked, cut}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        flushing.cancel()
        whole = log.close()
    return 0 if whole else ENVIRONMENT_BROKE


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Until the event loop runs there is nothing to finish and nothing to flush.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    tether = Tether.of_this_process()
    if tether is None:
        _say("this process is started by paydrill; to run probes by hand, use `paydrill probe`")
        return USAGE
    try:
        try:
            plan = parse(tether.receive()["plan"])
        except (KeyError, ValueError) as error:
            tether.send({"failed": {"error": str(error)}})
            return ENVIRONMENT_BROKE
        for probe in plan.probes:
            probe.type.function()
        tether.send({"ready": {}})
        clock = Clock(int(tether.receive()["go"]["epoch_ns"]))
    except TetherBrokenError:
        return 0
    # What exists now lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(plan, clock, tether))


def _say(text: str) -> None:
    print(f"probes: {text}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
