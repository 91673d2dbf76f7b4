"""Whom the load talks to."""

from __future__ import annotations

import _socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gevent import ssl


@dataclass(frozen=True, slots=True)
class Target:
    """One base URL, taken apart.

    Attributes:
        host: A name or an address, for connecting and for checking the certificate.
        port: The port.
        prefix: What stands before every path; empty or begins with a slash.
        authority: What the ``Host`` header says.
        tls: With what HTTPS is spoken; None for plain HTTP.
        numeric: What ``getaddrinfo`` makes of the host if it is an address: no name has to be looked up then,
            which takes a thread. Empty if it is a name.
    """

    host: str
    port: int
    prefix: str
    authority: str
    tls: ssl.SSLContext | None
    numeric: tuple[Any, ...]

    @classmethod
    def of(cls, url: str) -> Target:
        """Certificates are always checked, against the authorities of the system or those that the
        environment names instead (``SSL_CERT_FILE``, as OpenSSL reads it).

        Args:
            url: ``http://host:port`` or ``https://host:port``, with an optional path prefix.

        Raises:
            ValueError: This is no such URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an http:// or https:// URL")
        tls = _context() if parts.scheme == "https" else None
        port = port or (443 if tls else 80)
        return cls(
            host=parts.hostname,
            port=port,
            prefix=parts.path.rstrip("/"),
            authority=parts.netloc.rpartition("@")[2],
            tls=tls,
            numeric=_numeric(parts.hostname, port),
        )


def _numeric(host: str, port: int) -> tuple[Any, ...]:
    try:
        found = _socket.getaddrinfo(host, port, type=_socket.SOCK_STREAM, flags=_socket.AI_NUMERICHOST)
    except OSError:
        return ()
    return tuple(found)


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
