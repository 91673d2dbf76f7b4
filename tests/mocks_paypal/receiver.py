"""A merchant's server: takes PayPal's webhooks and checks them as a merchant does."""

from __future__ import annotations

import base64
import http.client
import json
import zlib
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mocks.exchange import Exchange
from tests.mocks.running import Running
from tests.mocks.serving import Serving


class Receiver:
    """Keeps what it gets, and answers ``status``."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.serving = Serving(self._answer)

    def __enter__(self) -> Receiver:
        self.serving.__enter__()
        self.url = f"http://127.0.0.1:{self.serving.port}/hooks"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.serving.__exit__(kind, error, trace)

    @property
    def events(self) -> list[Any]:
        """The bodies, read."""
        return [json.loads(body) for _, body in self.got]

    @property
    def kinds(self) -> list[str]:
        return [event["event_type"] for event in self.events]

    def _answer(self, exchange: Exchange) -> None:
        self.got.append((exchange.request.headers, exchange.request.body))
        exchange.answer(self.status)


def verify(headers: dict[str, str], body: bytes, webhook_id: str) -> None:
    """Check a signature against the certificate at the URL that it names, as PayPal tells merchants to do.

    Raises:
        InvalidSignature: It is none.
    """
    url = urlsplit(headers["paypal-cert-url"])
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    try:
        connection.request("GET", url.path)
        with connection.getresponse() as response:
            assert response.status == 200
            certificate = x509.load_pem_x509_certificate(response.read())
    finally:
        connection.close()
    assert headers["paypal-auth-algo"] == "SHA256withRSA"
    signed = "|".join(
        (
            headers["paypal-transmission-id"],
            headers["paypal-transmission-time"],
            webhook_id,
            str(zlib.crc32(body)),
        )
    )
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signature = base64.b64decode(headers["paypal-transmission-sig"], validate=True)
    key.verify(signature, signed.encode(), padding.PKCS1v15(), hashes.SHA256())


def delivered(running: Running) -> None:
    """Wait until nothing is due."""
    running.until(lambda: running.gateway.outbox.idle, "everything was delivered")


def advance(running: Running, seconds: float) -> None:
    """Put the mock's clock forward."""
    running.thread.call(lambda: running.gateway.mock_clock.advance(seconds))
