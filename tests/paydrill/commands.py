"""The command as a process of its own that serves until it is told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

CARD_PAYMENT = {
    "order_id": "k1",
    "amount_minor": 1290,
    "currency": "EUR",
    "method": "card",
    "instrument": "card_visa",
}
"""The body of a payment that the reference platform makes with any of its gateways."""


@contextmanager
def serving(
    *arguments: str, lines: int, environment: Mapping[str, str] | None = None
) -> Iterator[dict[str, list[str]]]:
    """``paydrill`` with these arguments, until the block ends; then it is told to end, and must with 0.

    Args:
        lines: How many lines it prints once it serves.
        environment: Variables besides those of this process.

    Yields:
        First word of each line -> its other words.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "paydrill", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline().split() for _ in range(lines)]
            yield {first: rest for first, *rest in said}
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
    assert process.returncode == 0


@contextmanager
def mocking(
    *servers: str, latency: str, admin: bool = True, environment: Mapping[str, str] | None = None
) -> Iterator[dict[str, str]]:
    """``paydrill mock`` with these servers (``stripe:0``); yields their URLs, ``stripe-admin`` besides ``stripe``
    where the admin interface is wanted."""
    command = ["mock", *servers, "--latency", latency, *(["--admin", "0"] if admin else [])]
    gateways = sum(not server.startswith("platform") for server in servers)
    lines = len(servers) + (gateways if admin else 0)
    with serving(*command, lines=lines, environment=environment) as said:
        yield {name: url for name, (url, *_) in said.items()}
