"""Load workers that somebody else starts, on this machine or on others: ``paydrill run --expect-workers``."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Annotated

import typer

BIND = "127.0.0.1:5557"
"""Where Locust's workers look for their master unless they are told otherwise."""

MAX_WAIT = 120.0

ExpectWorkersOption = Annotated[
    int | None,
    typer.Option(
        "--expect-workers",
        min=1,
        max=1000,
        metavar="N",
        help="Wait for N load workers that you start yourself, on any machine: locust --worker.",
    ),
]
BindOption = Annotated[
    str | None,
    typer.Option(
        "--bind",
        metavar="HOST:PORT",
        help="Where workers find this machine. Their messages are neither encrypted nor authenticated: "
        f"another address than {BIND} belongs in a private network.",
    ),
]
MaxWaitOption = Annotated[
    float | None,
    typer.Option(
        "--expect-workers-max-wait",
        min=1,
        metavar="SECONDS",
        help=f"How long to wait for them. Default: {MAX_WAIT:g}.",
    ),
]


class WorkersError(ValueError):
    """The options contradict each other, or no address is meant by them; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """Attributes:
    workers: How many are waited for.
    host, port: Where the master listens.
    max_wait_s: How long they are waited for.
    """

    workers: int
    host: str
    port: int
    max_wait_s: float

    def how_to_start(self) -> str:
        """How a worker is started, for the person who does."""
        host = socket.gethostname() if self.host in ("0.0.0.0", "::", "*") else self.host
        return f"locust -f locustfile.py --worker --master-host {host} --master-port {self.port}"


def awaited(
    expect_workers: int | None, bind: str | None, max_wait_s: float | None, processes: int
) -> Awaited | None:
    """What the options of ``paydrill run`` ask for; ``None``: the load is played by processes of its own.

    Raises:
        WorkersError: They cannot be followed.
    """
    if expect_workers is None:
        for option, value in (("--bind", bind), ("--expect-workers-max-wait", max_wait_s)):
            if value is not None:
                raise WorkersError(f"{option}: only with --expect-workers")
        return None
    if processes > 1:
        raise WorkersError(
            "--processes starts load workers, --expect-workers waits for them: give one of both"
        )
    host, port = _address(bind or BIND)
    return Awaited(expect_workers, host, port, MAX_WAIT if max_wait_s is None else max_wait_s)


def _address(bind: str) -> tuple[str, int]:
    host, colon, port = bind.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise WorkersError(f"--bind {bind}: give a host and a port, e.g. {BIND}")
    if ":" in bare:
        try:
            ipaddress.IPv6Address(bare)
        except ValueError:
            raise WorkersError(f"--bind {bind}: {bare} is no address") from None
    return bare, int(port)
