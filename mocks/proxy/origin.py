"""The service that a proxy stands in front of."""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where requests are passed on to.

    Attributes:
        scheme: ``http`` or ``https``.
        host: A name or an address: what the certificate must be for, and what ``Host`` says.
        port: The port.
        address: What the connection is made to; ``host``, unless it was resolved by hand.
    """

    scheme: str
    host: str
    port: int
    address: str

    @property
    def authority(self) -> bytes:
        """The value of ``Host``: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}").encode("ascii")

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"{self.scheme}://{self.authority.decode()}"


def origin_of(url: str, resolve: Sequence[str] = ()) -> Origin:
    """The origin that a base URL names.

    Args:
        url: ``http`` or ``https``, host, perhaps port; no path, no credentials.
        resolve: ``HOST:PORT:ADDRESS`` as curl takes it: connections to this host and port are made to that
            address.

    Raises:
        ValueError: One of them is not of that form. The text doesn't repeat a credential.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("the URL of the service must be plain, without user name and password")
    try:
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError as error:
        raise ValueError(f"{url!r} is no URL: {error}") from None
    if (
        parts.scheme not in _PORTS
        or not _HOST.fullmatch(host)
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
    ):
        raise ValueError(f"{url!r} is not the base URL of a service; write it like https://api.stripe.com")
    port = port or _PORTS[parts.scheme]
    address = host
    for rule in resolve:
        name, _, rest = rule.partition(":")
        number, _, where = rest.partition(":")
        if not name or not number.isdigit() or not where:
            raise ValueError(f"{rule!r} resolves nothing; write it like api.stripe.com:443:127.0.0.1")
        if name.lower().rstrip(".") == host and int(number) == port:
            address = where.strip("[]")
    return Origin(parts.scheme, host, port, address)


def trust(authority: Path | None = None) -> ssl.SSLContext:
    """Whom the proxy trusts: the system's authorities, or those of a PEM file instead. The certificate must
    be for the origin's host.

    Raises:
        OSError: The file cannot be read, or holds no certificate (``ssl.SSLError``).
    """
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
