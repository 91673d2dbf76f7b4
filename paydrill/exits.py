"""Exit codes, the same for every verb."""

from __future__ import annotations

from typing import NoReturn

import typer

PASS = 0
FAIL = 1
USAGE = 2
INCONCLUSIVE = 3
ABORTED = 4
INTERRUPTED = 130


def leave(code: int, message: str = "") -> NoReturn:
    """End the command; the message goes to stderr.

    Raises:
        typer.Exit: Always.
    """
    if message:
        typer.echo(message, err=True)
    raise typer.Exit(code)
