"""A child process of a drill, on its tether."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from journal.tether import FD_VARIABLE, Message, Tether, TetherBrokenError
from mocks.sandboxes import SANDBOXES

KEY_VARIABLES = frozenset(key.variable for sandbox in SANDBOXES.values() for key in sandbox.keys)
"""Environment variables that hold keys of sandboxes: a child is handed those that it needs, and no others."""


class ChildError(Exception):
    """A child process could not start, or died; the text names it and says why."""


class Child:
    """One child process.

    It runs in a session of its own: a Ctrl-C at the terminal reaches only the conductor, which decides
    what it means, and the whole group (Locust forks workers) can be ended at once.

    Args:
        name: How it is called in the live view, the journal and the report.
        command: Arguments of the Python interpreter.
        log: File that takes what it prints.
    """

    def __init__(
        self, name: str, command: Sequence[str], log: Path, extra: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        self._tether, theirs = Tether.pair()
        self._stopping = False
        with log.open("ab") as output, theirs:
            os.set_inheritable(theirs.fileno(), True)
            self._process = subprocess.Popen(
                [sys.executable, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                env={
                    **{name: value for name, value in os.environ.items() if name not in KEY_VARIABLES},
                    **(extra or {}),
                    FD_VARIABLE: str(theirs.fileno()),
                    "PYTHONUNBUFFERED": "1",
                },
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def plan(self, plan: Mapping[str, Any]) -> None:
        """Send the plan; ``ready`` waits for the answer. Raises ChildError when the child is gone."""
        self._send({"plan": dict(plan)})

    def ready(self, timeout: float = 30.0) -> Message:
        """Wait for the child's ``ready`` and return what it says.

        Raises:
            ChildError: It failed, died, or said nothing in time.
        """
        ready = self.ready_within(timeout)
        if ready is None:
            raise ChildError(f"{self.name} was not ready within {timeout:g} s{self._last_words()}")
        return ready

    def ready_within(self, timeout: float) -> Message | None:
        """The child's ``ready``, or ``None`` when it has said nothing in time.

        Raises:
            ChildError: It failed, or died.
        """
        message = self.heard(timeout)
        return None if message is None or "ready" not in message else message["ready"]

    def heard(self, timeout: float) -> Message | None:
        """What the child says before it is ready, ``ready`` or something else; ``None`` when it has said
        nothing in time.

        Raises:
            ChildError: It failed, or died.
        """
        try:
            message = self._tether.receive(timeout)
        except TimeoutError:
            return None
        except TetherBrokenError:
            self._process.wait(timeout=10)
            raise ChildError(f"{self.name} {self.end()} before it was ready{self._last_words()}") from None
        if "failed" in message:
            raise ChildError(f"{self.name}: {message['failed'].get('error', 'failed')}")
        return message

    def deliver(self, webhooks: Mapping[str, Any]) -> None:
        """Tell a gateway where its webhooks go. Raises ChildError when the child is gone."""
        self._send({"webhooks": dict(webhooks)})

    def prepare(self, role: str) -> None:
        """Say what plan will come, so that the child is ready for it. Raises ChildError when it is gone."""
        self._send({"prepare": {"role": role}})

    def clear(self) -> None:
        """Tell a gateway to end every fault. Raises ChildError when it is gone."""
        self._send({"clear": {}})

    def hand_on(self) -> None:
        """Ask it to flush and end, because another process will go on. Raises ChildError when it is gone."""
        self._stopping = True
        self._send({"restart": {}})

    def go(self, message: Mapping[str, Any]) -> None:
        """Start the run. Raises ChildError when the child is gone."""
        self._send({"go": dict(message)})

    def read_records(self) -> None:
        """Tell who stands before a sandbox to read its records; it says ``records`` when that is done. Raises
        ChildError when the child is gone."""
        self._send({"records": {}})

    def said(self) -> Message | None:
        """A message that has come in, or ``None``. Does not wait."""
        try:
            return self._tether.receive(timeout=0.0001)
        except (TimeoutError, BlockingIOError, TetherBrokenError):
            return None

    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def code(self) -> int | None:
        """The exit code; ``None`` while it lives."""
        return self._process.poll()

    @property
    def died(self) -> bool:
        """True if it ended without having been told to."""
        return not self._stopping and not self.alive()

    def end(self) -> str:
        """How it ended, in words."""
        code = self._process.poll()
        if code is None:
            return "is running"
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"was killed ({signal.Signals(-code).name})"
        return f"ended with code {code}"

    def death_notice(self) -> str:
        return f"{self.name} {self.end()}{self._last_words()}"

    def terminate(self) -> None:
        """Ask it to flush and end."""
        self._stopping = True
        with contextlib.suppress(ProcessLookupError):
            if self.alive():
                self._process.terminate()

    def wait(self, timeout: float) -> bool:
        """Wait for its end; True if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        return not self.alive()

    def kill(self) -> None:
        """End it and everything that it forked, now."""
        self._stopping = True
        # The group may outlive its leader: forked load workers.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._tether.close()

    def _send(self, message: Message) -> None:
        try:
            self._tether.send(message)
        except TetherBrokenError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
            raise ChildError(self.death_notice()) from None

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            if lines:
                return f"; its last words: {lines[-1][:300]} (all of them: {self.log})"
        return ""


def end_all(children: Sequence[Child], grace: float) -> None:
    """Terminate all, wait at most ``grace`` seconds together, kill what is left."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + grace
    for child in children:
        child.wait(max(0.0, deadline - time.monotonic()))
    for child in children:
        child.kill()
