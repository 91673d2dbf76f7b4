"""Answers: read from the segments in which they arrive, parsed in C.

Most answers of a platform come in one segment and under a head that was seen before. The meaning of a head is
what the parser made of it when it was new; an answer under a known head is then told by its length alone.
Whatever is not so plain goes through the parser.
"""

from __future__ import annotations

from typing import NamedTuple

import httptools

HEADS = 512
"""Heads remembered at most; a platform that gives each answer a head of its own (an id, a time) would
otherwise fill the memory."""

_NO_BODY = frozenset({204, 304})


class Answer(NamedTuple):
    status: int
    body: bytes


class MalformedError(Exception):
    """What came back is not HTTP, or more than was asked for."""


class Heads:
    """What heads mean whose answers end where their Content-Length says, on connections that stay open."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, int]] = {}

    def whole(self, data: bytes) -> Answer | None:
        """The answer, if these bytes are exactly one under a known head; its connection can be used again."""
        head, end, body = data.partition(b"\r\n\r\n")
        known = self._known.get(head)
        if known is None or not end or len(body) != known[1]:
            return None
        return Answer(known[0], body)

    def learn(self, data: bytes, answer: Answer) -> None:
        """Remember the head of an answer that the parser found plain in these bytes, and in no others."""
        head, _, body = data.partition(b"\r\n\r\n")
        # The parser takes empty lines before an answer and after it; these bytes are no rule then.
        if not head.startswith(b"HTTP/") or body != answer.body:
            return
        if len(self._known) >= HEADS:
            self._known.clear()
        self._known[head] = answer.status, len(body)


class Reader:
    """Reads one answer, interim ones (1xx) before it included (RFC 9112, section 6.3).

    Attributes:
        answer: The whole answer, once it is there.
        reusable: Whether its connection can take another request.
        plain: Whether the answer ends where its Content-Length says, and nothing came before it.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._begun = 0
        self._in_body = False
        self._length: bytes | None = None
        self._codings = b""
        self._excess = False
        self._odd_status: int | None = None
        self.answer: Answer | None = None
        self.reusable = False

    @property
    def plain(self) -> bool:
        return self.reusable and self._begun == 1 and self._length is not None and not self._codings

    def feed(self, data: bytes) -> None:
        """Take a segment.

        Raises:
            MalformedError: This is no HTTP answer, or it asks for another protocol.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            raise MalformedError("the answer switches to another protocol") from error
        except httptools.HttpParserError as error:
            if self.answer is None:
                raise MalformedError(f"the answer is not HTTP: {error}") from error
            self._excess = True
        if self._odd_status is not None:
            raise MalformedError(f"the answer is not HTTP: status {self._odd_status}")
        if self._excess:
            self.reusable = False

    def close(self) -> None:
        """The other end has closed: an answer that says nothing of its length is whole now."""
        if self.answer is None and self._in_body and self._ends_with_the_connection():
            self.answer = Answer(self._parser.get_status_code(), b"".join(self._body))

    def _ends_with_the_connection(self) -> bool:
        if self._codings:
            return self._codings.rpartition(b",")[2].strip().lower() != b"chunked"
        return self._length is None

    def on_message_begin(self) -> None:
        if self.answer is not None:
            self._excess = True
            return
        self._begun += 1
        self._in_body = False
        self._length = None
        self._codings = b""
        self._body.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"content-length":
            self._length = value
        elif name == b"transfer-encoding":
            self._codings += b"," + value if self._codings else value

    def on_headers_complete(self) -> None:
        self._in_body = self._parser.get_status_code() >= 200

    def on_body(self, data: bytes) -> None:
        if self.answer is None:
            self._body.append(data)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if self.answer is not None:
            self._excess = True
            return
        if status < 200:
            if status < 100:
                self._odd_status = status
            return
        self.answer = Answer(status, b"".join(self._body))
        self.reusable = self._parser.should_keep_alive()
        if status in _NO_BODY:
            self._length = None
