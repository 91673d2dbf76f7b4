"""The authority and its certificate: strict clients take them, and they are made anew in time."""

from __future__ import annotations

import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from mocks import tls

NOW = tls.now()


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def shaken_hands(files: tls.TlsFiles, authority: Path, host: str) -> None:
    """A handshake in memory by a client that is as strict as OpenSSL can be. Raises ssl.SSLError."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=host)
    context = tls.server_context(files.certificate, files.key)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    waiting: list[ssl.SSLObject] = [client, server]
    for _ in range(10):
        for side in tuple(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
    assert not waiting


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_strict_client_trusts_every_name_of_this_machine(tmp_path: Path, host: str) -> None:
    files = tls.prepare(tmp_path, NOW)
    shaken_hands(files, files.authority, host)


@pytest.mark.parametrize("host", ["example.test", "127.0.0.2"])
def test_no_other_name(tmp_path: Path, host: str) -> None:
    files = tls.prepare(tmp_path, NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken_hands(files, files.authority, host)


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    files = tls.prepare(tmp_path / "a", NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken_hands(files, tls.prepare(tmp_path / "b", NOW).authority, "localhost")


def test_the_authority_signs_for_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls.prepare(tmp_path, NOW)
    # Somebody has got the authority's key, and makes a certificate for another host with it.
    monkeypatch.setattr(tls, "NAMES", ("example.test",))
    files = tls.prepare(tmp_path, NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shaken_hands(files, files.authority, "example.test")


def test_private_keys_are_private(tmp_path: Path) -> None:
    files = tls.prepare(tmp_path / "tls", NOW)
    for key in (tmp_path / "tls" / "ca-key.pem", files.key):
        assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700


def test_what_is_there_is_used_again(tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in _made(tmp_path, NOW)}
    assert {path.name: path.read_bytes() for path in _made(tmp_path, NOW + timedelta(days=300))} == before


def test_a_certificate_is_renewed_before_it_expires_and_the_authority_stays(tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in _made(tmp_path, NOW)}
    later = NOW + tls.SERVER_LIFE - timedelta(days=29)
    second = {path.name: path.read_bytes() for path in _made(tmp_path, later)}
    assert second["ca.pem"] == first["ca.pem"] and second["server.pem"] != first["server.pem"]
    assert certificate(tmp_path / "server.pem").not_valid_after_utc > later + timedelta(days=300)


def test_an_authority_about_to_expire_is_replaced_with_its_certificate(tmp_path: Path) -> None:
    files = tls.prepare(tmp_path, NOW - tls.AUTHORITY_LIFE + timedelta(days=10))
    old = files.authority.read_bytes()
    tls.prepare(tmp_path, NOW)
    assert files.authority.read_bytes() != old
    shaken_hands(files, files.authority, "localhost")


def test_no_certificate_outlives_its_authority(tmp_path: Path) -> None:
    tls.prepare(tmp_path, NOW)
    tls.prepare(tmp_path, NOW + tls.AUTHORITY_LIFE - timedelta(days=70))
    end = certificate(tmp_path / "ca.pem").not_valid_after_utc
    assert certificate(tmp_path / "server.pem").not_valid_after_utc == end


@pytest.mark.parametrize("name", ["server.pem", "server-key.pem"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN NOTHING-----", None])
def test_a_damaged_certificate_is_made_anew(tmp_path: Path, name: str, content: bytes | None) -> None:
    files = tls.prepare(tmp_path, NOW)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    tls.prepare(tmp_path, NOW)
    shaken_hands(files, files.authority, "localhost")


@pytest.mark.parametrize("name", ["ca.pem", "ca-key.pem"])
@pytest.mark.parametrize("content", [b"", b"x", None])
def test_a_damaged_authority_is_not_replaced_unasked(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    tls.prepare(tmp_path, NOW)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(tls.TlsError, match="delete the folder"):
        tls.prepare(tmp_path, NOW)


def test_a_key_of_another_authority_is_noticed(tmp_path: Path) -> None:
    tls.prepare(tmp_path / "a", NOW)
    tls.prepare(tmp_path / "b", NOW)
    (tmp_path / "a" / "ca-key.pem").write_bytes((tmp_path / "b" / "ca-key.pem").read_bytes())
    with pytest.raises(tls.TlsError, match="is not the key of"):
        tls.prepare(tmp_path / "a", NOW)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(tls.TlsError, match="cannot be used for TLS"):
        tls.prepare(tmp_path / "file" / "tls", NOW)


def test_two_starts_at_once_make_one_authority(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def start() -> None:
        seen.append(tls.prepare(tmp_path, NOW).authority.read_bytes())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8 and len(set(seen)) == 1


def test_where_it_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert tls.default_folder() == tmp_path / "paydrill" / "tls"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored")
    assert tls.default_folder() == tmp_path / ".local" / "share" / "paydrill" / "tls"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert tls.default_folder() == tmp_path / ".local" / "share" / "paydrill" / "tls"


def test_the_clock_is_read_with_its_zone() -> None:
    assert tls.now().tzinfo is UTC and abs(tls.now() - datetime.now(UTC)) < timedelta(minutes=1)


def _made(folder: Path, now: datetime) -> list[Path]:
    tls.prepare(folder, now)
    return sorted(folder.glob("*.pem"))
