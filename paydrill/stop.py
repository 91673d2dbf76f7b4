"""Ctrl-C and SIGTERM, for a command that serves until it is stopped."""

from __future__ import annotations

import signal
from types import FrameType


class Stop:
    """Remembers that the user asked for the end."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
