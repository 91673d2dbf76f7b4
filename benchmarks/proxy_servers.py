"""Reverse proxies in front of one server on this machine, each a process of its own on one core.

``python -m benchmarks.proxy_servers URL`` serves ours on a free port of 127.0.0.1, prints the port, and ends
when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import uvloop

from benchmarks.served import process_on, wait_for
from mocks.garbage import freeze_survivors
from mocks.proxy.origin import origin_of
from mocks.proxy.proxy import Proxy
from mocks.proxy.server import ProxyServer
from mocks.proxy.upstream import Upstream

OURS = "paydrill"

_NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/pid;
error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000000;
  upstream origin {{
    server 127.0.0.1:{origin};
    keepalive 64;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""

_HAPROXY = """
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server origin 127.0.0.1:{origin}
"""


def installed() -> list[str]:
    """The proxies that can be started here: ours, and those that Debian's packages have put in place."""
    return [OURS, *(name for name in ("nginx", "haproxy") if _program(name) is not None)]


@contextlib.contextmanager
def serve_proxy(name: str, origin: int, core: int) -> Iterator[int]:
    """Start a proxy in front of a port of 127.0.0.1; it ends with the block. Yields its own port.

    Raises:
        RuntimeError: It did not start.
    """
    if name == OURS:
        command = [sys.executable, "-m", "benchmarks.proxy_servers", f"http://127.0.0.1:{origin}"]
        with process_on(command, core, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None and process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("our proxy did not start")
            yield int(line)
            process.stdin.close()
            process.wait(30)
        return
    with socket.create_server(("127.0.0.1", 0)) as reserve:
        port = reserve.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "configuration"
        text = _NGINX if name == "nginx" else _HAPROXY
        file.write_text(text.format(folder=folder, port=port, origin=origin))
        program = str(_program(name))
        command = (
            [program, "-p", folder, "-c", str(file)] if name == "nginx" else [program, "-db", "-f", str(file)]
        )
        with process_on(command, core) as process:
            wait_for(port, process, name)
            yield port


def _program(name: str) -> str | None:
    # Debian puts servers where only the administrator's path looks.
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


async def _serve(url: str) -> None:
    freeze_survivors()  # as every mock's process does when its run begins
    proxy = Proxy("stripe", Upstream(origin_of(url)), 1)
    server = ProxyServer(proxy)
    port = await server.start()
    gc.collect()
    gc.freeze()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(grace=0)
    proxy.close()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
