"""Requests encoded; POST requests ahead: what does not depend on the single one is one piece of bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(r"/[!-~]*")
_VALUE = re.compile("[\t -~\x80-\xff]*")


def get(authority: str, target: str) -> bytes:
    """A GET request of a path.

    Raises:
        ValueError: The path would break the request.
    """
    if not _TARGET.fullmatch(target):
        raise ValueError(f"{target!r} is not the path of a URL: it begins with / and is printable ASCII")
    return f"GET {target} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode("ascii")


class Form:
    """The POST requests to one path, but for their bodies and the values of some headers.

    Args:
        authority: What the ``Host`` header says.
        target: The path, with its query.
        names: The headers whose values differ from request to request.

    Raises:
        ValueError: The path or a name would break the request (RFC 9110, sections 5.1 and 7.1).
    """

    def __init__(self, authority: str, target: str, names: Sequence[str] = ()) -> None:
        if not _TARGET.fullmatch(target):
            raise ValueError(f"{target!r} is not the path of a URL: it begins with / and is printable ASCII")
        for name in names:
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header")
        fixed = f"POST {target} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n"
        varying = "".join(name.replace("%", "%%") + ": %b\r\n" for name in names)
        self._format = (fixed.replace("%", "%%") + varying).encode("ascii") + b"Content-Length: %d\r\n\r\n%b"

    def encode(self, body: bytes, *values: bytes) -> bytes:
        """One request, with a value for each header in the order of their names. The values are taken as they
        are; see ``checked``."""
        return self._format % (*values, len(body), body)


def checked(value: str) -> bytes:
    """A header's value, as ``encode`` takes it.

    Raises:
        ValueError: It contains a line end, another control character, or what is not in Latin-1.
    """
    if not _VALUE.fullmatch(value):
        raise ValueError(f"{value!r} cannot be the value of a header")
    return value.encode("latin-1")
