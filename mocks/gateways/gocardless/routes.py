"""GoCardless' endpoints that are mocked: method, path, name."""

from __future__ import annotations

import re

_RESOURCES = (
    ("customers", "create get list update remove"),
    ("customer_bank_accounts", "create get list update disable"),
    ("mandates", "create get list update cancel reinstate"),
    ("payments", "create get list update cancel retry"),
    ("refunds", "create get list update"),
    ("events", "get list"),
    ("payouts", "get list update"),
    ("payout_items", "list"),
    ("scenario_simulators", "run"),
)

_SHAPES = {
    "create": ("POST", ""),
    "list": ("GET", ""),
    "get": ("GET", "/(?P<id>[^/]+)"),
    "update": ("PUT", "/(?P<id>[^/]+)"),
    "remove": ("DELETE", "/(?P<id>[^/]+)"),
    "disable": ("POST", "/(?P<id>[^/]+)/actions/disable"),
    "reinstate": ("POST", "/(?P<id>[^/]+)/actions/reinstate"),
    "cancel": ("POST", "/(?P<id>[^/]+)/actions/cancel"),
    "retry": ("POST", "/(?P<id>[^/]+)/actions/retry"),
    "run": ("POST", "/(?P<id>[^/]+)/actions/run"),
}

ROUTES = tuple(
    (_SHAPES[verb][0], re.compile(f"/{resource}{_SHAPES[verb][1]}\\Z"), f"{resource}.{verb}")
    for resource, verbs in _RESOURCES
    for verb in verbs.split()
)
"""Method, path and endpoint; the group ``id`` is the object that the path names."""

ENDPOINTS = tuple(endpoint for _, _, endpoint in ROUTES)


def endpoint(method: str, path: str) -> str:
    """The name of the endpoint, empty if there is none."""
    for known, pattern, name in ROUTES:
        if known == method and pattern.match(path):
            return name
    return ""


def named(path: str) -> str:
    """The object or simulator that a path names, empty if it names none."""
    parts = path.split("/")
    return parts[2] if len(parts) > 2 else ""


def is_known(path: str) -> bool:
    """Whether some method is answered there."""
    return any(pattern.match(path) for _, pattern, _ in ROUTES)
