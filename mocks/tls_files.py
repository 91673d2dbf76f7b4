"""The certificate of a process that serves HTTPS, as its plan names it."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TypedDict

from journal.tether import Message


class TlsOptions(TypedDict, total=False):
    """What ``mocks.http.Server`` needs to serve HTTPS; empty for HTTP."""

    tls: ssl.SSLContext
    certificate: Path


def tls_options(files: Message | None) -> TlsOptions:
    """Read a plan's ``tls``: ``certificate`` and ``key`` are the paths of PEM files.

    Raises:
        OSError: A file cannot be read.
    """
    if files is None:
        return {}
    # Most processes need no certificate, and the library takes a while to import.
    from mocks.tls import server_context

    certificate = Path(files["certificate"])
    return {"tls": server_context(certificate, Path(files["key"])), "certificate": certificate}
