"""What can become of a request that gets no answer, and the words for it."""

from __future__ import annotations

import errno
import ssl

from journal.records import GENERATOR

_LACKING = {
    errno.EMFILE: "no file descriptor left for a connection (EMFILE); raise `ulimit -n`",
    errno.ENFILE: "no file descriptor left on this machine for a connection (ENFILE)",
    errno.EADDRNOTAVAIL: "no local port left for a connection (EADDRNOTAVAIL)",
    errno.ENOBUFS: "no memory left for a connection (ENOBUFS)",
    errno.ENOMEM: "no memory left for a connection (ENOMEM)",
}
"""What this machine lacks: the load generator's fault, whatever the platform does."""

_PLAIN = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "broken pipe",
}


class NeverSentError(Exception):
    """The request surely never left: there was no connection, or it took not one byte."""


class NoAnswerError(Exception):
    """The request left at least in part, and no whole answer came back: the outcome is unknown."""


def words(error: OSError) -> str:
    """Say an error of a socket in a few words; beginning with ``generator:`` if it is this machine's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        # One that was not raised by the library has no reason.
        reason = getattr(error, "reason", None)
        return str(reason or error.strerror or error).replace("_", " ").lower()
    code = error.errno
    if code in _LACKING:
        return GENERATOR + _LACKING[code]
    return _PLAIN.get(code or 0) or error.strerror or str(error) or type(error).__name__
