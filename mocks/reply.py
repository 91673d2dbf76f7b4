"""An answer of a gateway before it is sent."""

from __future__ import annotations

from typing import NamedTuple


class Reply(NamedTuple):
    """``result`` says in the journal's words what the gateway decided: ``succeeded``, ``declined``,
    ``processing``, ``error``, or empty for a read."""

    status: int
    body: bytes
    result: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
