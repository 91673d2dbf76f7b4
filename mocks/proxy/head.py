"""The heads of HTTP/1.1 messages as bytes: what decides their framing is read, all else is left as it came.

A proxy that parsed every header and wrote it anew would change its case, its order or its spaces. So a head
is kept as the bytes that arrived, and only the few fields that say where the message ends are looked up
(RFC 9112, sections 6 and 9).
"""

from __future__ import annotations

import re
from typing import NamedTuple

END = b"\r\n\r\n"

UNTIL_CLOSE = -1
"""The length of a body that ends with its connection."""

CHUNKED = -2
"""The length of a body in chunks."""

_ASKED = re.compile(
    rb"\r\n(content-length|transfer-encoding|connection|host|expect|upgrade|authorization|x-api-key)"
    rb"([ \t]*):[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)",
    re.IGNORECASE,
)
_TOLD = re.compile(
    rb"\r\n(content-length|transfer-encoding|connection)([ \t]*):[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)",
    re.IGNORECASE,
)
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\r\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?\r\n")
_FIELD = re.compile(rb"\r\n([^\r\n:]+):[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)")
_UPGRADE = re.compile(rb"\r\n(?:upgrade|http2-settings)[ \t]*:[^\r\n]*(?=\r\n)", re.IGNORECASE)
_CONNECTION = re.compile(rb"(\r\nconnection[ \t]*:[ \t]*)([^\r\n]*)(?=\r\n)", re.IGNORECASE)


class HeadError(Exception):
    """A head that is not passed on, with the status that says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class RequestHead(NamedTuple):
    """``raw`` ends with the empty line. ``length`` is that of the body in bytes, or ``CHUNKED``; ``host`` is
    where the value of ``Host`` stands in ``raw``, ``(0, 0)`` without one. ``credentials`` are the values of
    the fields that carry one."""

    raw: bytes
    method: bytes
    target: bytes
    old: bool
    length: int
    host: tuple[int, int]
    stays: bool
    expects: bool
    upgrades: bool
    credentials: tuple[bytes, ...]


class ResponseHead(NamedTuple):
    """``length`` is that of the body in bytes, ``CHUNKED`` or ``UNTIL_CLOSE``; ``stays`` says whether the
    connection may be used again."""

    raw: bytes
    status: int
    length: int
    stays: bool


def read_request(raw: bytes) -> RequestHead:
    """The head of a request, with its empty line.

    Raises:
        HeadError: It is no request, where it ends is in doubt, or it asks for what a reverse proxy does not
            do (CONNECT).
    """
    line = _REQUEST_LINE.match(raw)
    if line is None:
        raise HeadError(400, "no request line")
    method, target, minor = line.groups()
    if method == b"CONNECT":
        raise HeadError(405, "CONNECT is for forward proxies")
    _check_lines(raw)
    length = 0
    lengths = 0
    coded = expects = upgrades = False
    old = minor == b"0"
    stays = not old
    host = (0, 0)
    credentials: tuple[bytes, ...] = ()
    for found in _ASKED.finditer(raw, line.end() - 2):
        name, space, value = found.groups()
        if space:
            raise HeadError(400, "white space before a colon")
        size = len(name)
        if size == 4:
            if host != (0, 0):
                raise HeadError(400, "two Host fields")
            host = found.span(3)
        elif size == 14:
            length = _length(value, length if lengths else None)
            lengths += 1
        elif size == 17:
            if value.lower() != b"chunked" or coded:
                raise HeadError(501, "a transfer coding other than chunked")
            coded = True
        elif size == 10:
            stays = _stays(value, stays)
        elif size == 6:
            expects = value.lower() == b"100-continue"
        elif size == 7:
            upgrades = True
        else:
            credentials += (value,)
    if coded:
        if lengths or old:
            raise HeadError(400, "a length besides chunks, or chunks in HTTP/1.0")
        length = CHUNKED
    return RequestHead(raw, method, target, old, length, host, stays, expects, upgrades, credentials)


def read_response(raw: bytes, method: bytes, *, request_stays: bool) -> ResponseHead:
    """The head of the answer to a request of this method.

    Raises:
        HeadError: It is none, or where it ends is in doubt.
    """
    line = _STATUS_LINE.match(raw)
    if line is None:
        raise HeadError(502, "no status line")
    status = int(line[2])
    _check_lines(raw)
    length = UNTIL_CLOSE
    coded = False
    stays = line[1] == b"1"
    for found in _TOLD.finditer(raw, line.end() - 2):
        name, space, value = found.groups()
        if space:
            raise HeadError(502, "white space before a colon")
        size = len(name)
        if size == 14:
            length = _length(value, None if length == UNTIL_CLOSE else length)
        elif size == 17:
            coded = True
            if value.lower() != b"chunked":
                raise HeadError(502, "a transfer coding other than chunked")
        else:
            stays = _stays(value, stays)
    if method == b"HEAD" or status < 200 or status == 204 or status == 304:
        length = 0
    elif coded:
        if length != UNTIL_CLOSE:
            raise HeadError(502, "a length besides chunks")
        length = CHUNKED
    return ResponseHead(raw, status, length, stays and request_stays and length != UNTIL_CLOSE)


def addressed(head: RequestHead, host: bytes) -> bytes:
    """The head as it is passed on: ``Host`` names the service, and no upgrade is asked for."""
    start, end = head.host
    raw = head.raw if not end else head.raw[:start] + host + head.raw[end:]
    return _without_upgrade(raw) if head.upgrades else raw


def fields(raw: bytes) -> list[tuple[str, str]]:
    """All fields of a head in their order, as text."""
    start = raw.index(b"\r\n")
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in _FIELD.findall(raw[start:])]


def _check_lines(raw: bytes) -> None:
    # A lone line feed or a folded line would be read differently by different servers.
    lines = raw.count(b"\r\n")
    if raw.count(b"\n") != lines or raw.count(b"\r") != lines or b"\r\n " in raw or b"\r\n\t" in raw:
        raise HeadError(400, "a line that does not end in CR LF, or a folded one")


def _length(value: bytes, known: int | None) -> int:
    if not value.isdigit() or len(value) > 18:
        raise HeadError(400, "a length that is no number")
    length = int(value)
    if known is not None and known != length:
        raise HeadError(400, "two lengths")
    return length


def _stays(value: bytes, stays: bool) -> bool:
    tokens = value.lower()
    if tokens == b"keep-alive":
        return True
    for token in tokens.split(b","):
        token = token.strip()
        if token == b"close":
            return False
        if token == b"keep-alive":
            stays = True
    return stays


def _without_upgrade(raw: bytes) -> bytes:
    def rest(found: re.Match[bytes]) -> bytes:
        tokens = [token.strip() for token in found[2].split(b",")]
        kept = [token for token in tokens if token.lower() not in (b"upgrade", b"http2-settings")]
        return found[1] + b", ".join(kept) if kept else b""

    return _CONNECTION.sub(rest, _UPGRADE.sub(b"", raw))
