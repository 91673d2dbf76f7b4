"""Making connections: rare beside requests, so each is made in a greenlet, step by step."""

from __future__ import annotations

import _socket
import errno
import os

import gevent
from gevent import socket, ssl

from scenarios.wire.errors import NeverSentError, words
from scenarios.wire.target import Target
from scenarios.wire.transport import PlainTransport, TlsTransport, Transport


class _Late(BaseException):
    """A time-out of ours; a BaseException so that no ``except Exception`` in between takes it."""


def dial(target: Target, timeout: float) -> Transport:
    """Connect, with TLS if it is asked for; blocks this greenlet only.

    Args:
        target: Whom to connect to.
        timeout: Seconds for all of it.

    Raises:
        NeverSentError: There is no connection; the text says why.
    """
    try:
        with gevent.Timeout(timeout, _Late):
            plain = _connect(target)
            if target.tls is None:
                return PlainTransport(plain)
            try:
                return TlsTransport(plain, *_shake_hands(plain, target.tls, target.host))
            except BaseException:
                plain.close()
                raise
    except _Late:
        raise NeverSentError(f"no connection within {timeout:g} s") from None
    except ssl.SSLError as error:
        raise NeverSentError(f"TLS: {words(error)}") from error
    except OSError as error:
        raise NeverSentError(words(error)) from error


def _connect(target: Target) -> _socket.socket:
    """A connection to the first of the target's addresses that takes one."""
    found = target.numeric or socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    failure = OSError(f"{target.host} has no address")
    for family, kind, protocol, _, address in found:
        try:
            return _connect_to(family, kind, protocol, address)
        except OSError as error:
            failure = error
    raise failure


def _connect_to(family: int, kind: int, protocol: int, address: tuple[str, int]) -> _socket.socket:
    # The C type itself, because gevent's wrapper around it costs as much as the system call.
    plain = _socket.socket(family, kind, protocol)
    try:
        plain.setblocking(False)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = plain.connect_ex(address)
        if code == errno.EINPROGRESS:
            socket.wait_write(plain.fileno())
            code = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        plain.close()
        raise
    return plain


def _shake_hands(
    plain: _socket.socket, context: ssl.SSLContext, host: str
) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(received, to_send, server_hostname=host)
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            _send_all(plain, to_send.read())
            socket.wait_read(plain.fileno())
            data = plain.recv(65536)
            if data:
                received.write(data)
            else:
                raise ssl.SSLError("connection closed during the handshake") from None
        except ssl.SSLError:
            # What is left to send is the alert that tells the server why.
            _send_all(plain, to_send.read())
            raise
        else:
            _send_all(plain, to_send.read())
            return tls, received, to_send


def _send_all(plain: _socket.socket, data: bytes) -> None:
    while data:
        try:
            data = data[plain.send(data) :]
        except BlockingIOError:
            socket.wait_write(plain.fileno())
