"""What an experiment does: set faults, and end them."""

from __future__ import annotations

from typing import Any

from paydrill.admin_client import AdminError, UnreachableError
from paydrill.chaostoolkit.servers import Configuration, Secrets, admin_of, admins

__all__ = ["add_fault", "clear_faults"]


def add_fault(
    target: str,
    fault: str,
    lasts: str | None = None,
    share: str | None = None,
    endpoint: str | None = None,
    match: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
    flap: dict[str, Any] | None = None,
    ramp: str | None = None,
    repeat: dict[str, Any] | None = None,
    configuration: Configuration | None = None,
    secrets: Secrets | None = None,
) -> dict[str, Any]:
    """Start a fault now, on the mock or proxy of this name.

    Args:
        target: The server's name, e.g. ``stripe``.
        fault: See ``paydrill fault about``.
        lasts: When it ends by itself, e.g. ``20s``; after 5 minutes when left out. Scenarios call it ``for``,
            which can be no argument of a Python function.
        share, endpoint, match, params, flap, ramp, repeat: As in a scenario.

    Returns:
        The fault as the server lists it, with its ``id``.

    Raises:
        AdminError: The server refused it; the text says why.
        UnreachableError: There is no such server.
    """
    words = {
        "fault": fault,
        "for": lasts,
        "share": share,
        "endpoint": endpoint,
        "match": match,
        "params": params,
        "flap": flap,
        "ramp": ramp,
        "repeat": repeat,
    }
    given = {word: value for word, value in words.items() if value is not None}
    return admin_of(target, configuration, secrets).add(given)


def clear_faults(
    target: str | None = None,
    configuration: Configuration | None = None,
    secrets: Secrets | None = None,
) -> list[str]:
    """End all faults now, on the server of this name or on all of them; fit for ``rollbacks``.

    Returns:
        The ids of those that were on.

    Raises:
        UnreachableError: A server doesn't answer; the others have been cleared all the same.
    """
    if target is not None:
        return admin_of(target, configuration, secrets).clear()
    cleared: list[str] = []
    troubles: list[str] = []
    for client in admins(configuration, secrets):
        try:
            cleared += client.clear()
        except (AdminError, UnreachableError) as error:
            troubles.append(f"{client.url}: {error}")
    if troubles:
        raise UnreachableError("; ".join(troubles))
    return cleared
