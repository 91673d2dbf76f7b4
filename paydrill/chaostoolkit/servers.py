"""Where an experiment's servers are: what its configuration and its secrets say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mocks.loopback import is_loopback
from paydrill.admin_client import AdminClient, UnreachableError, running

Configuration = Mapping[str, Any]
Secrets = Mapping[str, Any]

PLATFORM = "http://127.0.0.1:12110"
"""Where ``paydrill mock`` serves the platform by default."""


def admins(configuration: Configuration | None, secrets: Secrets | None) -> list[AdminClient]:
    """The admin interfaces of an experiment.

    They are those of the configuration's ``paydrill_admin`` (URLs, as a list or with commas between); without
    it, all that this machine has on the usual ports. A token is the secret ``admin_token``.

    Raises:
        UnreachableError: There is none.
        ValueError: One is no URL, or on another host without a token.
    """
    token = str((secrets or {}).get("admin_token", ""))
    urls = (configuration or {}).get("paydrill_admin")
    if urls is None:
        found = [client for client, _ in running(token=token)]
        if not found:
            raise UnreachableError(
                "no mock or proxy has an admin interface here: paydrill mock --admin 12100"
            )
        return found
    return [AdminClient(url, token) for url in (urls.split(",") if isinstance(urls, str) else urls)]


def admin_of(name: str, configuration: Configuration | None, secrets: Secrets | None) -> AdminClient:
    """The admin interface of one mock or proxy.

    Raises:
        UnreachableError: There is none of this name, or one of them doesn't answer.
        AdminError: One of them wants another token.
        ValueError: As ``admins``.
    """
    there = {str(client.faults()["on"]): client for client in admins(configuration, secrets)}
    if name not in there:
        raise UnreachableError(f"there is no {name!r} here, only {', '.join(there)}")
    return there[name]


def platform(configuration: Configuration | None) -> str:
    """The base URL of the platform: the configuration's ``paydrill_platform``, or where ``paydrill mock``
    serves it. Raises ValueError when it isn't on this machine: payments are sent to it."""
    url = str((configuration or {}).get("paydrill_platform", PLATFORM)).rstrip("/")
    host = urlsplit(url).hostname or ""
    if not is_loopback(host):
        raise ValueError(f"paydrill_platform: {url} is not on this machine, and no payment is sent elsewhere")
    return url
