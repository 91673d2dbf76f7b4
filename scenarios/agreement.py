"""What is agreed before a load begins: when time zero is, and the run's id."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import gevent

from journal.clock import SECOND, Clock
from journal.tether import Tether, TetherBrokenError

HEAD_START = 2.0
"""Seconds between a start without a conductor and the first due time, for workers to get ready."""


class Agreement:
    """With the conductor, if one has started this process; with itself otherwise."""

    def __init__(self) -> None:
        self._tether = Tether.of_this_process()

    def agree(self, on_conductor_gone: Callable[[], None]) -> tuple[int, str]:
        """Say that the load is ready, and wait for the word.

        Args:
            on_conductor_gone: Called when the conductor is gone, later on.

        Returns:
            The epoch as a reading of ``time.monotonic_ns()``, and the run's id.

        Raises:
            TetherBrokenError: The conductor is gone already.
        """
        if self._tether is None:
            return Clock.starting_now().epoch_ns + int(HEAD_START * SECOND), os.urandom(3).hex()
        self._tether.send({"ready": {}})
        go = self._tether.receive()["go"]
        gevent.spawn(self._hold, self._tether, on_conductor_gone)
        return int(go["epoch_ns"]), str(go["run"])

    def tell(self, what: str, more: dict[str, Any]) -> None:
        """Tell the conductor something, if there is one.

        Raises:
            TetherBrokenError: It is gone.
        """
        if self._tether is not None:
            self._tether.send({what: more})

    def _hold(self, tether: Tether, on_conductor_gone: Callable[[], None]) -> None:
        try:
            while True:
                tether.receive()
        except TetherBrokenError:
            on_conductor_gone()
