"""Which targets may be probed: this machine, hosts that were named, and never a live payment API."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import unquote, urlsplit

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.ASCII)
_LIVE_CREDENTIAL = re.compile(r"(?<![A-Za-z0-9])[sr]k_live_", re.ASCII)

# Host suffix -> the host suffixes below it that are sandboxes. Stripe has no sandbox host: one host serves
# both, and only the key tells them apart, so all of it is refused.
_LIVE_HOSTS: dict[str, tuple[str, ...]] = {
    "stripe.com": (),
    "paypal.com": ("sandbox.paypal.com",),
    "adyen.com": ("-test.adyen.com", ".test.adyen.com"),
    "adyenpayments.com": (),
    "gocardless.com": ("api-sandbox.gocardless.com",),
}


def check_loopback(url: str, allow_hosts: Collection[str] = ()) -> str:
    """Refuse a target that is not this machine, unless its host was named.

    ``localhost`` and the loopback addresses are this machine; other names are not, whatever they resolve
    to. Hosts of live payment APIs and credentials that look live are refused even if the host was named.

    Args:
        url: An absolute ``http`` or ``https`` URL.
        allow_hosts: Host names and addresses that may be called, without port.

    Returns:
        The host, in lower case, without port and brackets.

    Raises:
        ValueError: The target is refused, or is not a URL that can be called. The message never repeats
            a credential.
    """
    check_credential(url)
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        raise ValueError("the URL contains white space, a backslash or a control character")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"not a URL: {error}") from None
    if "@" in parts.netloc:
        raise ValueError("the URL contains a user name or password; give the plain URL, without credentials")
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"{url!r} is not an absolute URL; write it like http://127.0.0.1:8080/health")
    host = plain_host(host)
    address = _address(host)
    if address is None and not _NAME.fullmatch(host):
        raise ValueError(f"{host!r} is not a host name; write international names in their xn-- form")
    service = _live_service(host)
    if service is not None:
        raise ValueError(
            f"{host} belongs to the live payment API of {service}, which is never called; "
            f"use a mock gateway, or the sandbox"
        )
    if host == "localhost" or (address is not None and address.is_loopback):
        return host
    if host not in map(plain_host, allow_hosts):
        raise ValueError(
            f"{host} is not this machine; only loopback is called by default. "
            f"If you may test {host}, name it under allow_hosts"
        )
    return host


def plain_host(host: str) -> str:
    """A host name or address as it is compared: lower case, no brackets, no final dot."""
    return host.lower().strip("[]").rstrip(".")


def check_credential(text: str) -> None:
    """Refuse a text that contains a live secret or restricted key of Stripe.

    Raises:
        ValueError: It does. The message does not repeat it.
    """
    if _LIVE_CREDENTIAL.search(text) or _LIVE_CREDENTIAL.search(unquote(text)):
        raise ValueError("a live credential (sk_live_ or rk_live_) was given; only test credentials are used")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _live_service(host: str) -> str | None:
    for service, sandboxes in _LIVE_HOSTS.items():
        if host == service or host.endswith(f".{service}"):
            tests = (host == box or host.endswith(box if box[0] in "-." else f".{box}") for box in sandboxes)
            return None if any(tests) else service
    return None
