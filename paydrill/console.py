"""Where the command prints."""

from __future__ import annotations

from rich.console import Console

_LOG_WIDTH = 120


def console() -> Console:
    """The terminal at its own width; a log at one that tables fit into."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=_LOG_WIDTH)
