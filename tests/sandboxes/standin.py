"""Mocks that stand in for sandboxes: served over TLS under the sandboxes' own host names, on loopback."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mocks.sandboxes import SANDBOXES
from tests.mocks.running import Running


class Files(NamedTuple):
    """The authority's certificate, and the server's certificate and key."""

    authority: Path
    certificate: Path
    key: Path


def certificates(folder: Path, *hosts: str) -> Files:
    """An authority of the test's own, and a certificate that it signed for these hosts (all sandboxes' when
    none is named)."""
    now = datetime.datetime.now(datetime.UTC)
    life = (now - datetime.timedelta(hours=1), now + datetime.timedelta(days=1))
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])
    authority = (
        x509.CertificateBuilder()
        .subject_name(issuer)
        .issuer_name(issuer)
        .public_key(authority_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(life[0])
        .not_valid_after(life[1])
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names = [x509.DNSName(host) for host in hosts or (sandbox.host for sandbox in SANDBOXES.values())]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(life[0])
        .not_valid_after(life[1])
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    files = Files(folder / "authority.pem", folder / "sandbox.pem", folder / "sandbox-key.pem")
    files.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@contextmanager
def standing_in(name: str, files: Files, **more: Any) -> Iterator[Running]:
    """The mock of a gateway in the place of its sandbox."""
    with Running(name, tls={"certificate": str(files.certificate), "key": str(files.key)}, **more) as running:
        yield running
