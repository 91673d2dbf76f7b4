"""The server of a proxy."""

from __future__ import annotations

import ssl
from pathlib import Path

from mocks.http import Server
from mocks.proxy.downstream import Downstream
from mocks.proxy.proxy import Proxy


class ProxyServer(Server):
    """The server of a proxy: its connections hand on bytes."""

    def __init__(
        self,
        proxy: Proxy,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        certificate: Path | None = None,
    ) -> None:
        super().__init__(proxy, host=host, port=port, tls=tls, certificate=certificate)
        self._proxy = proxy
        proxy.server = self

    def connection(self) -> Downstream:
        return Downstream(self, self._proxy)
