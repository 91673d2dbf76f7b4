"""An answer of the origin as faults and the journal see it: without chunks and compression."""

from __future__ import annotations

import zlib

from mocks.proxy.body import Body
from mocks.proxy.head import ResponseHead, fields
from mocks.reply import Reply

PLAIN_LIMIT = 8 << 20
"""Bytes that a compressed body may unfold to; a larger one stays as it is."""

_FRAMING = {
    "content-length",
    "transfer-encoding",
    "trailer",
    "connection",
    "keep-alive",
    "date",
    "content-type",
}


def reply_of(answer: ResponseHead, raw: bytes) -> Reply:
    """The answer whose bytes these are, with its own headers but for those of its framing.

    Raises:
        BodyError: It is in chunks, and they cannot be read.
    """
    body = Body(answer.length, keep=True)
    body.feed(raw[len(answer.raw) :])
    contents = b"".join(body.data or ())
    headers = fields(answer.raw)
    told = {name.lower(): value for name, value in headers}
    hidden = _FRAMING
    plain = _plain(contents, told.get("content-encoding", "").lower())
    if plain is not None:
        contents, hidden = plain, _FRAMING | {"content-encoding"}
    return Reply(
        answer.status,
        contents,
        headers=tuple((name, value) for name, value in headers if name.lower() not in hidden),
        content_type=told.get("content-type", "application/octet-stream"),
    )


def _plain(contents: bytes, coding: str) -> bytes | None:
    """A compressed body without its compression; None when it has none, or one that is not known here."""
    if coding not in ("gzip", "deflate") or not contents:
        return None
    # With 32 added, zlib finds out by itself which of the two it is (zlib manual, inflateInit2).
    inflate = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
    try:
        plain = inflate.decompress(contents, PLAIN_LIMIT)
    except zlib.error:
        return None
    return plain if inflate.eof else None
