"""``paydrill proxy``: faults in front of any HTTP(S) service, until stopped."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from mocks.faults import FAULTS
from mocks.faults.words import WordingError, plan_of
from mocks.gateways import GATEWAYS
from mocks.loopback import is_loopback
from mocks.proxy.origin import Origin, origin_of
from paydrill.child import Child, ChildError, end_all
from paydrill.exits import ABORTED, USAGE, leave
from paydrill.stop import Stop
from probes.target import check_loopback, plain_host
from scenarios.finding import nearest
from scenarios.quantities import parse_rate

TEST_MODE_HOST = "api.stripe.com"
"""Serves test mode and live mode; the proxy passes nothing on to it but requests with a test key."""

_WORDS = ("for", "share", "endpoint", "ramp")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


def proxy(
    to: Annotated[str, typer.Option(metavar="URL", help="The service: https://api.stripe.com.")],
    listen: Annotated[
        str, typer.Option(metavar="[HOST:]PORT", help="Where to listen, on loopback; port 0: any.")
    ] = "127.0.0.1:9400",
    as_: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="GATEWAY",
            help="What the service is: faults know its endpoints, payments and errors then.",
        ),
    ] = None,
    admin: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="Serve the admin interface of its faults; 0: any port."
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Whom to trust (PEM) instead of the system's authorities."),
    ] = None,
    resolve: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT:ADDRESS",
            help="Connect to this address for the host, as curl does. Repeatable.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST=RATE",
            help="A host other than this machine that may be called, and how often: "
            "api.stripe.com=20/s. Repeatable.",
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FAULT[,WORD=VALUE]...",
            help="A fault that is on from the start, for 5 minutes unless it says: "
            "latency,add=2s,share=10%,for=1min. Repeatable.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides which requests a share touches.")] = 1,
) -> None:
    """Put faults in front of any HTTP(S) service; without one, every byte passes as it is.

    For example: paydrill proxy --to http://127.0.0.1:12111 --as stripe --admin 12100

    Only this machine is called by default. Live hosts and live credentials are refused, always.
    """
    if as_ is not None and as_ not in GATEWAYS:
        leave(USAGE, f"there is no gateway {as_!r}; {nearest(as_, GATEWAYS)}")
    host, port = _listening(listen)
    try:
        origin = origin_of(to, resolve or ())
        pace = pace_of(origin, allow_host or [])
        faults = [
            plan_of(words_in(text), f"f{number}", 0, None if as_ is None else GATEWAYS[as_].endpoints)
            for number, text in enumerate(fault or [], start=1)
        ]
    except WordingError as error:
        leave(USAGE, f"--fault: {error.field}: {error}")
    except ValueError as error:
        leave(USAGE, str(error))
    plan = {
        "role": "proxy",
        "name": as_ or origin.host,
        "to": to,
        "host": host,
        "port": port,
        "seed": seed,
        "resolve": resolve or [],
        "authority": None if ca is None else str(ca.absolute()),
        "as": as_,
        "pace": pace,
        "admin_port": admin,
        "faults": [plan.message() for plan in faults],
        "journal": None,
    }
    stop = Stop()
    with tempfile.TemporaryDirectory(prefix="paydrill-proxy-") as folder:
        child = Child("proxy", ["-m", "mocks.process"], Path(folder) / "proxy.log")
        try:
            child.plan(plan)
            ready = child.ready()
            child.go({"epoch_ns": time.monotonic_ns()})
            shown = f"[{host}]" if ":" in host else host
            typer.echo(f"proxy http://{shown}:{ready['port']} -> {origin.url}")
            if "admin_port" in ready:
                typer.echo(f"proxy-admin http://127.0.0.1:{ready['admin_port']}")
            typer.echo("serving until stopped with Ctrl-C", err=True)
            told = 0
            while not stop.asked:
                time.sleep(0.1)
                told = _tell(child, told)
                if child.died:
                    leave(ABORTED, child.death_notice())
        except ChildError as error:
            leave(ABORTED, str(error))
        finally:
            end_all([child], grace=5.0)


def pace_of(origin: Origin, allow_hosts: list[str]) -> dict[str, Any] | None:
    """The pace at which an origin may be called; None for this machine, which needs none.

    Args:
        origin: The service.
        allow_hosts: ``HOST=RATE``, the hosts that may be called besides this machine.

    Raises:
        ValueError: It must not be called.
    """
    rates: dict[str, float] = {}
    for text in allow_hosts:
        host, separator, often = text.rpartition("=")
        if not separator or not host:
            raise ValueError(f"--allow-host {text}: say how often, too: {text or 'HOST'}=10/s")
        rates[plain_host(host)] = parse_rate(often)
    if is_loopback(origin.address):
        return None
    if plain_host(origin.host) != TEST_MODE_HOST:
        check_loopback(origin.url, rates)
    elif TEST_MODE_HOST not in rates:
        raise ValueError(f"{origin.host} is not this machine; allow it: --allow-host {origin.host}=20/s")
    rate = rates[plain_host(origin.host)]
    if rate <= 0:
        raise ValueError(f"--allow-host {origin.host}: a rate must be above 0/s")
    return {"requests": int(rate), "period_s": 1.0} if rate >= 2 else {"requests": 2, "period_s": 2 / rate}


def words_in(text: str) -> dict[str, Any]:
    """A fault as ``--fault`` takes it, in the words of a scenario."""
    name, *pairs = text.split(",")
    words: dict[str, Any] = {"fault": name}
    params: dict[str, Any] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise ValueError(f"--fault {text}: {pair!r} is no WORD=VALUE")
        if key in _WORDS:
            words[key] = value
        elif _NUMBER.fullmatch(value) and not _is_text(name, key):
            params[key] = float(value) if "." in value else int(value)
        else:
            params[key] = value
    return {**words, "params": params} if params else words


def _is_text(fault: str, parameter: str) -> bool:
    """Whether a parameter is a text, even if it looks like a number."""
    known = FAULTS[fault].PARAMETERS if fault in FAULTS else {}
    return parameter in known and known[parameter].kind == "text"


def _listening(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdigit() or int(port) > 65535:
        leave(USAGE, f"--listen {listen}: {port!r} is not a port")
    if not is_loopback(host):
        leave(USAGE, f"--listen {listen}: a proxy listens on loopback only; whoever reaches it, uses it")
    return host, int(port)


def _tell(child: Child, told: int) -> int:
    """Pass on what the proxy has to say (an origin that can't be reached)."""
    text = child.log.read_bytes()
    if len(text) > told:
        typer.echo(text[told:].decode(errors="replace"), err=True, nl=False)
    return len(text)
