"""The heads of HTTP/1.1 messages as bytes: what decides their framing is read, all else is left as it came.

A proxy that parsed every header and wrote it anew would change its case, its order or its spaces. So a head
is kept as the bytes that arrived, and only the few fields that say where the message ends are looked up
(RFC 9112, sections 6 and 9).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

END = b"\r\n\r\n"

UNTIL_CLOSE = -1
"""The length of a body that ends with its connection."""

CHUNKED = -2
"""The length of a body in chunks."""

_TARGET = re.compile(rb"[\x21-\x7e\x80-\xff]+")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: .*)?", re.DOTALL)
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


_Role = Literal["", "length", "coding", "connection", "host", "expect", "upgrade", "credential"]

_ROLES: dict[bytes, _Role] = {
    b"content-length": "length",
    b"transfer-encoding": "coding",
    b"connection": "connection",
    b"host": "host",
    b"expect": "expect",
    b"upgrade": "upgrade",
    b"authorization": "credential",
    b"x-api-key": "credential",
}
_SPELLINGS = 2048
_spelled: dict[bytes, _Role] = {}
"""The role of a field by its name as it was spelled: clients spell theirs the same way every time."""


def read_request(raw: bytes) -> RequestHead:
    """The head of a request, with its empty line.

    Raises:
        HeadError: It is no request, where it ends is in doubt, or it asks for what a reverse proxy does not
            do (CONNECT).
    """
    lines = _lines(raw)
    words = lines[0].split(b" ")
    if len(words) != 3 or words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise HeadError(400, "no request line")
    method, target, version = words
    if not _TOKEN.fullmatch(method) or not _TARGET.fullmatch(target):
        raise HeadError(400, "no request line")
    if method == b"CONNECT":
        raise HeadError(405, "CONNECT is for forward proxies")
    length: int | None = None
    coded = expects = upgrades = False
    old = version == b"HTTP/1.0"
    stays = not old
    host = (0, 0)
    credentials: tuple[bytes, ...] = ()
    at = len(lines[0]) + 2
    for line in lines[1:-2]:
        name, colon, value = line.partition(b":")
        role = _spelled.get(name)
        if role is None:
            role = _role(name)
        if not colon:
            raise HeadError(400, "a line without a colon")
        if role:
            value = value.strip(b" \t")
            if role == "host":
                if host != (0, 0):
                    raise HeadError(400, "two Host fields")
                start = raw.index(value, at + len(name) + 1)
                host = (start, start + len(value))
            elif role == "length":
                length = _length(value, length)
            elif role == "credential":
                credentials += (value,)
            elif role == "connection":
                stays = _stays(value, stays)
            elif role == "coding":
                if value.lower() != b"chunked" or coded:
                    raise HeadError(501, "a transfer coding other than chunked")
                coded = True
            elif role == "expect":
                expects = value.lower() == b"100-continue"
            else:
                upgrades = True
        at += len(line) + 2
    if coded:
        if length is not None or old:
            raise HeadError(400, "a length besides chunks, or chunks in HTTP/1.0")
        length = CHUNKED
    return RequestHead(raw, method, target, old, length or 0, host, stays, expects, upgrades, credentials)


def read_response(raw: bytes, method: bytes, *, request_stays: bool) -> ResponseHead:
    """The head of the answer to a request of this method.

    Raises:
        HeadError: It is none, or where it ends is in doubt.
    """
    lines = _lines(raw)
    line = _STATUS_LINE.fullmatch(lines[0])
    if line is None:
        raise HeadError(502, "no status line")
    status = int(line[2])
    length: int | None = None
    coded = False
    stays = line[1] == b"1"
    for field in lines[1:-2]:
        name, _, value = field.partition(b":")
        role = _spelled.get(name)
        if role is None:
            role = _role(name)
        if not role:
            continue
        if role == "length":
            length = _length(value.strip(b" \t"), length)
        elif role == "coding":
            coded = True
            if value.strip(b" \t").lower() != b"chunked":
                raise HeadError(502, "a transfer coding other than chunked")
        elif role == "connection":
            stays = _stays(value.strip(b" \t"), stays)
    if method == b"HEAD" or status < 200 or status == 204 or status == 304:
        length = 0
    elif coded:
        if length is not None:
            raise HeadError(502, "a length besides chunks")
        length = CHUNKED
    elif length is None:
        length = UNTIL_CLOSE
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


def _lines(raw: bytes) -> list[bytes]:
    """The lines of a head, and two empty ones for its end."""
    lines = raw.split(b"\r\n")
    # A lone line feed would be the end of a line to one server and not to another.
    ends = len(lines) - 1
    if raw.count(b"\n") != ends or raw.count(b"\r") != ends:
        raise HeadError(400, "a line that does not end in CR LF")
    return lines


def _role(name: bytes) -> _Role:
    """What a field says to a proxy, by its name. Raises HeadError for what is no name: a folded line begins
    with white space, and white space before the colon is read in two ways."""
    if not _TOKEN.fullmatch(name):
        raise HeadError(400, "what stands before the colon is no name")
    role = _ROLES.get(name.lower(), "")
    if len(_spelled) < _SPELLINGS:
        _spelled[name] = role
    return role


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
