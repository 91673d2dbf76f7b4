"""Where a body ends, found without changing a byte of it."""

from __future__ import annotations

import re

from mocks.proxy.head import CHUNKED, UNTIL_CLOSE

LINE_LIMIT = 16 << 10
"""The longest line of a chunk's size with its extensions, or of a trailer, in bytes."""

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")


class BodyError(Exception):
    """Chunks that cannot be read: nobody can tell where the message ends."""


class Body:
    """The rest of one body.

    Args:
        length: In bytes, ``CHUNKED`` or ``UNTIL_CLOSE``.

    Attributes:
        whole: All of it has been fed.
    """

    __slots__ = ("_left", "_line", "_state", "data", "whole")

    def __init__(self, length: int, *, keep: bool = False) -> None:
        self._left = length
        self._state = "size" if length == CHUNKED else "plain"
        self._line = b""
        self.whole = length == 0
        self.data: list[bytes] | None = [] if keep else None
        """The contents, without the framing of chunks, if they are to be kept."""

    @property
    def until_close(self) -> bool:
        """Whether only the end of the connection ends it."""
        return self._left == UNTIL_CLOSE

    def feed(self, data: bytes) -> int:
        """Returns how many of these bytes belong to the body; the rest belongs to what follows it.

        Raises:
            BodyError: These are no chunks.
        """
        if self._state != "plain":
            return self._feed_chunks(data)
        if self._left == UNTIL_CLOSE:
            taken = len(data)
        else:
            taken = min(self._left, len(data))
            self._left -= taken
            self.whole = not self._left
        if self.data is not None:
            self.data.append(data[:taken])
        return taken

    def _feed_chunks(self, data: bytes) -> int:
        at = 0
        while at < len(data) and not self.whole:
            if self._state == "data":
                taken = min(self._left, len(data) - at)
                if self.data is not None:
                    self.data.append(data[at : at + taken])
                at += taken
                self._left -= taken
                if not self._left:
                    self._state = "end"
                continue
            end = data.find(b"\n", at) + 1
            self._line += data[at : end or len(data)]
            if len(self._line) > LINE_LIMIT:
                raise BodyError("a line is too long")
            if not end:
                return len(data)
            at = end
            line, self._line = self._line, b""
            self._read(line)
        return at

    def _read(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            raise BodyError("a line does not end in CR LF")
        if self._state == "end":
            if line != b"\r\n":
                raise BodyError("a chunk is longer than it said")
            self._state = "size"
        elif self._state == "trailer":
            self.whole = line == b"\r\n"
        else:
            size = _SIZE.fullmatch(line)
            if size is None:
                raise BodyError("a chunk without a size")
            self._left = int(size[1], 16)
            self._state = "data" if self._left else "trailer"
