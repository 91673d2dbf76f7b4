"""How PayPal signs its webhooks: RSA with SHA-256, and a certificate that anybody may fetch.

The signature is over ``transmission id|transmission time|webhook id|CRC-32 of the raw body, in decimal``
("Integrate webhooks: self verification method"). PayPal's certificates are signed by a public authority; the
mock's is self-signed, made of a new key once somebody listens, and served by the mock itself. To sign takes
about 300 microseconds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from mocks.draws import Draws
from mocks.gateways.paypal.payment import rfc3339
from mocks.webhooks import Headers

WEBHOOK_ID = "0PAYDRILL00000001"
"""The webhook id of the URLs that the mock was told of when it was started; those that are registered through
the API have ids of their own."""

ALGORITHM = "SHA256withRSA"
CERTIFICATES = "/v1/notifications/certs/"

_DAY = 86_400
_VALID_S = 10 * 366 * _DAY


class Transmission(NamedTuple):
    """What is signed, and the signature, as ``verify-webhook-signature`` takes it; ``at`` is RFC 3339."""

    id: str
    at: str
    webhook_id: str
    signature: str
    cert_url: str
    algorithm: str


class _Pair(NamedTuple):
    key: rsa.RSAPrivateKey
    pem: bytes
    name: str


class Signer:
    """The key of one gateway.

    Args:
        seed: Settles the transmission ids; the key is not settled by it.
        base: The URL of the mock.
        now: Unix seconds of the mock's clock, around which the certificate is valid.
    """

    def __init__(self, seed: int, base: Callable[[], str], now: Callable[[], float]) -> None:
        self._base = base
        self._now = now
        self._ids = Draws(seed, "paypal/transmissions")
        self._sent = 0

    def headers(self, body: bytes, at: int, webhook_id: str = WEBHOOK_ID) -> Headers:
        """The headers of a delivery at ``at``, in whole Unix seconds."""
        self._sent += 1
        words = self._ids.word(2 * self._sent) << 64 | self._ids.word(2 * self._sent + 1)
        name = str(uuid.UUID(int=words, version=4))
        time = rfc3339(at)
        signature = self._pair.key.sign(
            _signed(name, time, webhook_id, body), padding.PKCS1v15(), hashes.SHA256()
        )
        return (
            ("paypal-transmission-id", name),
            ("paypal-transmission-time", time),
            ("paypal-transmission-sig", base64.b64encode(signature).decode()),
            ("paypal-cert-url", self.cert_url),
            ("paypal-auth-algo", ALGORITHM),
        )

    def good(self, transmission: Transmission, body: bytes) -> bool:
        """Whether this is a signature of the mock's own over these bytes."""
        if transmission.algorithm != ALGORITHM or transmission.cert_url != self.cert_url:
            return False
        signed = _signed(transmission.id, transmission.at, transmission.webhook_id, body)
        try:
            signature = base64.b64decode(transmission.signature, validate=True)
            self._pair.key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except (binascii.Error, InvalidSignature, ValueError):
            return False
        return True

    def prepare(self) -> None:
        """Make the key now, which takes a tenth of a second, and not with the first webhook."""
        _ = self._pair

    @property
    def cert_url(self) -> str:
        """Where the certificate is; another key has another URL."""
        return f"{self._base()}{CERTIFICATES}{self._pair.name}"

    def certificate(self, name: str) -> bytes | None:
        """The certificate of this name in PEM; None if there is none."""
        return self._pair.pem if name == self._pair.name else None

    @cached_property
    def _pair(self) -> _Pair:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.paydrill.test")])
        now = self._now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.fromtimestamp(now - _DAY, UTC))
            .not_valid_after(datetime.fromtimestamp(now + _VALID_S, UTC))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        return _Pair(key, pem, "CERT-" + hashlib.sha256(pem).hexdigest()[:16])


def _signed(name: str, time: str, webhook_id: str, body: bytes) -> bytes:
    return f"{name}|{time}|{webhook_id}|{zlib.crc32(body)}".encode()
