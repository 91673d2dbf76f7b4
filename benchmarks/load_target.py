"""What the load generators are measured against: a payment endpoint that costs little, on one core.

``python -m benchmarks.load_target`` serves on a free port of 127.0.0.1, prints the port, and ends when its
standard input is closed. For every line that it reads there it prints how many payments it has answered so
far: what is counted here is counted alike for every generator. It knows one kind of request, a POST with a
length and the body of ``PlannedPayment``, and answers it as a payment that succeeded.

With ``--base`` an answer takes so many seconds; with ``--stall-every`` and ``--stall-for`` the target also
stands still: what arrives at t is answered at ``end_of_stall(t) + base``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import uvloop

from benchmarks.served import process_on

_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_CLAIM = b'{"status":"succeeded","gateway":"target",%b}'


@dataclass(frozen=True, slots=True)
class Stalls:
    """Stands still for the first ``length`` seconds of every ``every``, on ``time.monotonic``."""

    every: float = 0.0
    length: float = 0.0

    def resumes(self, at: float) -> float:
        """When what arrives at a time is taken up, in seconds."""
        if not self.every:
            return at
        into = at % self.every
        return at - into + self.length if into < self.length else at


class _Payments:
    """What all connections share."""

    def __init__(self, base: float, stalls: Stalls) -> None:
        self.answered = 0
        self.base = base
        self.stalls = stalls
        self.immediate = not (base or stalls.every)


class _Connection(asyncio.Protocol):
    def __init__(self, payments: _Payments) -> None:
        self._payments = payments
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        answers = []
        while (end := buffer.find(_END)) >= 0:
            head = buffer[:end].lower()
            at = head.index(_LENGTH) + len(_LENGTH)
            line = head.find(b"\r\n", at)
            whole = end + 4 + int(head[at:line] if line >= 0 else head[at:])
            if len(buffer) < whole:
                break
            claim = _CLAIM % buffer[end + 5 : buffer.index(b',"method"', end)]
            answers.append(_HEAD % (len(claim), claim))
            buffer = buffer[whole:]
        self._buffer = buffer
        if not answers:
            return
        if self._payments.immediate:
            self._answer(answers)
            return
        loop = asyncio.get_running_loop()
        due = self._payments.stalls.resumes(loop.time()) + self._payments.base
        loop.call_at(due, self._answer, answers)

    def _answer(self, answers: list[bytes]) -> None:
        if self._transport is not None:
            self._payments.answered += len(answers)
            self._transport.write(b"".join(answers))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None


async def _serve(base: float, stalls: Stalls, port: int) -> None:
    payments = _Payments(base, stalls)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(payments), "127.0.0.1", port, backlog=4096, reuse_port=True
    )
    # What stands still for long leaves many timers; a collection would be a stall of its own.
    gc.collect()
    gc.freeze()
    gc.disable()
    print(server.sockets[0].getsockname()[1], flush=True)
    asked = asyncio.Event()
    lines: list[str] = []

    def on_line() -> None:
        lines.append(sys.stdin.readline())
        asked.set()

    loop.add_reader(0, on_line)
    while True:
        await asked.wait()
        asked.clear()
        if not lines.pop():
            return
        print(payments.answered, flush=True)


class Target:
    """A target that runs. ``answered`` asks it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self.pid = process.pid
        self._process = process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answered(self) -> tuple[float, int]:
        """The time on ``time.monotonic``, and the payments answered until then.

        Raises:
            RuntimeError: It is gone.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the target has died")
        return time.monotonic(), int(line)


@contextlib.contextmanager
def serve_target(
    core: int, *, base: float = 0.0, stalls: Stalls = Stalls(), port: int = 0
) -> Iterator[Target]:
    """Start a target on one core; it ends with the block.

    Args:
        core: The number of the core.
        base: Seconds that an answer takes.
        stalls: When it stands still.
        port: A port that several targets share, each with its part of the connections; 0 for one alone.

    Raises:
        RuntimeError: It did not start.
    """
    command = [sys.executable, "-m", "benchmarks.load_target", "--base", str(base), "--port", str(port)]
    command += ["--stall-every", str(stalls.every), "--stall-for", str(stalls.length)]
    with process_on(command, core, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the target did not start")
        yield Target(process, int(line))
        process.stdin.close()
        process.wait(30)


def _main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("--base", "--stall-every", "--stall-for"):
        parser.add_argument(option, type=float, default=0.0)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    stalls = Stalls(options.stall_every, options.stall_for)
    uvloop.run(_serve(options.base, stalls, options.port))


if __name__ == "__main__":
    _main()
