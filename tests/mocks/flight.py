"""Payments that are sent without waiting for the answer."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from tests.mocks.running import Running, stripe_payment


def request_bytes(order: str, key: str) -> bytes:
    """A Stripe payment as it goes over the wire."""
    body = urlencode(stripe_payment(order)).encode()
    head = (
        "POST /v1/payment_intents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_test_1\r\n"
        f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def in_flight(running: Running, order: str, key: str) -> Iterator[socket.socket]:
    """A Stripe payment on a connection of its own, which is reset in the end: from one that is only closed, its
    client might still read."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sending:
        sending.sendall(request_bytes(order, key))
        yield sending
        sending.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
