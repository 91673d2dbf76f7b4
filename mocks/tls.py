"""TLS for a mock on this machine: a certificate authority of its own, and the certificate that it signs.

Kept in one folder and used again at every start, so that a client has to be told of the authority once:

- ``ca.pem``, the authority's certificate, for clients to trust; ``ca-key.pem``, its private key
- ``server.pem`` and ``server-key.pem``, for the server; renewed before they expire

The profile is RFC 5280's, as strict clients want it (OpenSSL with ``X509_V_FLAG_X509_STRICT``, which Python
sets by default from 3.13, Node, Java): basic constraints and key usage critical, subject and authority key
identifiers, the names in the subject alternative name. Name constraints keep the authority to this machine:
whoever trusts it, even system-wide, trusts it for ``localhost`` and loopback addresses only.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)

SERVER_LIFE = timedelta(days=397)
"""Apple's systems refuse certificates of a longer life, and some libraries have followed."""

RENEW_WITHIN = timedelta(days=30)
"""A certificate with less than this to live is replaced."""

BACKDATED = timedelta(hours=1)
"""A certificate is good from an hour ago: the clock of a container may be behind."""

NAMES = ("localhost",)
ADDRESSES = ("127.0.0.1", "::1")


class TlsError(Exception):
    """The folder cannot be used as it is; the text says why, and what to do."""


class TlsFiles(NamedTuple):
    """Where things are; ``authority`` is what a client has to trust."""

    authority: Path
    certificate: Path
    key: Path


class _Pair(NamedTuple):
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def default_folder() -> Path:
    """The user's own: ``$XDG_DATA_HOME/paydrill/tls``, without it ``~/.local/share/paydrill/tls``."""
    home = Path(os.environ.get("XDG_DATA_HOME", ""))
    # "All paths set in these environment variables must be absolute" (XDG Base Directory Specification).
    base = home if home.is_absolute() else Path.home() / ".local" / "share"
    return base / "paydrill" / "tls"


def prepare(folder: Path, now: datetime) -> TlsFiles:
    """The files of ``folder``; what is missing, has expired or soon will is made.

    Raises:
        TlsError: The folder cannot be written, or what is in it is no authority of ours.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(folder):
            authority = _read(folder, "ca")
            if authority is None or _ends(authority) < now + 2 * RENEW_WITHIN:
                authority = _new_authority(now)
                _write(folder, "ca", authority)
            if not _good(_read(folder, "server"), authority, now):
                _write(folder, "server", _new_server(authority, now))
    except OSError as error:
        raise TlsError(f"{folder} cannot be used for TLS: {error.strerror or error}") from error
    return TlsFiles(folder / "ca.pem", folder / "server.pem", folder / "server-key.pem")


def flawed_context(certificate: Path, flaw: str, now: datetime) -> ssl.SSLContext:
    """What a server serves with whose certificate is not in order: ``expired`` a day ago, or for
    ``other_name``s than this machine's. It is by the same authority, so that nothing else is wrong with it.

    Args:
        certificate: The server's own, beside its authority as ``prepare`` keeps them.
        flaw: One of the two.
        now: The current time.

    Raises:
        TlsError: There is no authority beside the certificate that could sign another one.
    """
    folder = certificate.parent
    authority = _read(folder, "ca")
    if authority is None:
        raise TlsError(f"there is no authority (ca.pem and ca-key.pem) beside {certificate.name} in {folder}")
    if flaw == "expired":
        pair = _new_server(authority, now - timedelta(days=30), ends=now - timedelta(days=1))
    else:
        # The authority's constraints allow what is below localhost: the name itself is all that is wrong.
        pair = _new_server(authority, now, names=[x509.DNSName(f"elsewhere.{NAMES[0]}")])
    with TemporaryDirectory() as scratch:
        # A context takes its certificate from files only.
        _write(Path(scratch), "server", pair)
        return server_context(Path(scratch, "server.pem"), Path(scratch, "server-key.pem"))


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a server serves with: TLS 1.2 or 1.3, HTTP/1.1.

    Raises:
        OSError: The files cannot be read, or are no certificate and its key (``ssl.SSLError``).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key)
    return context


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two mocks that start at the same time must not make two authorities."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(folder: Path, name: str) -> _Pair | None:
    """None when there is none. Raises TlsError when it cannot be read, or its two halves don't match."""
    paths = folder / f"{name}-key.pem", folder / f"{name}.pem"
    if not any(path.exists() for path in paths):
        return None
    try:
        key = serialization.load_pem_private_key(paths[0].read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(paths[1].read_bytes())
    except (ValueError, TypeError, OSError) as error:
        if name == "server":
            return None  # it is only made anew
        what = f"{paths[0].name} and {paths[1].name} in {folder} cannot be read"
        raise TlsError(f"{what}; delete the folder to have a new authority made") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        if name == "server":
            return None
        what = f"{paths[0].name} in {folder} is not the key of {paths[1].name}"
        raise TlsError(f"{what}; delete the folder to have a new authority made")
    return _Pair(key, certificate)


def _write(folder: Path, name: str, pair: _Pair) -> None:
    # The key first: a certificate without its key would be found wanting, a lone key would not be missed.
    pem = pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _replace(folder / f"{name}-key.pem", pem, 0o600)
    _replace(folder / f"{name}.pem", pair.certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _replace(path: Path, content: bytes, mode: int) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    # Made with its mode: a key that is written first and hidden later can be read in between.
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(file, "wb") as out:
        out.write(content)
    new.replace(path)


def _ends(pair: _Pair) -> datetime:
    return pair.certificate.not_valid_after_utc


def _good(server: _Pair | None, authority: _Pair, now: datetime) -> bool:
    """Whether a server's certificate can be served: ours, for every name, and not about to expire."""
    if server is None or _ends(server) < now + RENEW_WITHIN:
        return False
    try:
        server.certificate.verify_directly_issued_by(authority.certificate)
        found = server.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return set(found) == set(_alternative_names())


def _new_authority(now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "paydrill local mocks")])
    only = [x509.DNSName(host) for host in NAMES]
    nets = [x509.IPAddress(ipaddress.ip_network(net)) for net in ("127.0.0.0/8", "::1/128")]
    certificate = (
        _begun(name, name, key, now, now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints([*only, *nets], None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return _Pair(key, certificate)


def _new_server(
    authority: _Pair,
    now: datetime,
    *,
    ends: datetime | None = None,
    names: list[x509.GeneralName] | None = None,
) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])])
    issuer = authority.certificate
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _begun(name, issuer.subject, key, now, ends or min(now + SERVER_LIFE, _ends(authority)))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names or _alternative_names()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(authority.key, hashes.SHA256())
    )
    return _Pair(key, certificate)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _alternative_names() -> list[x509.GeneralName]:
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
    return [*(x509.DNSName(host) for host in NAMES), *addresses]


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def now() -> datetime:
    """The current time, as ``prepare`` wants it."""
    return datetime.now(UTC)
