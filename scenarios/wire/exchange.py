"""One request, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.wire.answer import Answer
from scenarios.wire.errors import NeverSentError, NoAnswerError

if TYPE_CHECKING:
    from scenarios.wire.connection import Connection


class Exchange:
    """One request on its way; exactly one of ``answered`` and ``failed`` is called, once, when it ends.

    Both are called from the event loop or from within ``Wire.send``, so they must not block. Subclasses say
    what they do.

    Attributes:
        request: The whole request, as it goes over the wire.
        timeout_ns: How long the sender has patience, for the error's text.
        deadline_ns: When it has none left, as a reading of ``time.monotonic_ns()``.
        connection: Where it is on its way; None before it has one, and after its end.
    """

    __slots__ = ("connection", "deadline_ns", "request", "timeout_ns")

    def __init__(self, request: bytes, deadline_ns: int, timeout_ns: int) -> None:
        self.request = request
        self.deadline_ns = deadline_ns
        self.timeout_ns = timeout_ns
        self.connection: Connection | None = None

    def answered(self, answer: Answer) -> None:
        """The whole answer is there."""
        raise NotImplementedError

    def failed(self, error: NeverSentError | NoAnswerError) -> None:
        """There will be no answer."""
        raise NotImplementedError
