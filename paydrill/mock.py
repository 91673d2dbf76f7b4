"""``paydrill mock``: serve mock gateways and the reference platform until stopped."""

from __future__ import annotations

import math
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mocks.admin_interface import check_host
from mocks.gateways import GATEWAYS
from mocks.platform.connectors import CONNECTORS
from mocks.webhook_endpoint import check_url
from paydrill import plans
from paydrill.admin_client import TOKEN_VARIABLE
from paydrill.child import Child, ChildError, end_all
from paydrill.exits import ABORTED, USAGE, leave
from paydrill.mock_guide import pointing, trusting
from paydrill.stop import Stop
from scenarios.finding import nearest
from scenarios.quantities import parse_duration
from scenarios.schema import Scenario

if TYPE_CHECKING:
    from mocks.tls import TlsFiles

PLATFORM_PORT = 12110


def mock(
    servers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[GATEWAY[:PORT]]...", help="What to serve; platform is one of the names. Default: all."
        ),
    ] = None,
    latency: Annotated[
        str, typer.Option(metavar="P50,P99", help="Answer times of the gateways.")
    ] = "120ms,600ms",
    seed: Annotated[int, typer.Option(help="Decides the identifiers and the answer times.")] = 1,
    webhooks: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Deliver events to this URL on loopback; may be repeated."),
    ] = None,
    admin: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65000,
            help="Serve the gateways' admin interfaces, from this port upwards; 0: any. 12100 is usual.",
        ),
    ] = None,
    admin_host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where the admin interfaces listen. They demand the token in $PAYDRILL_ADMIN_TOKEN when "
            "there is one; on another address than loopback there has to be.",
        ),
    ] = "127.0.0.1",
    rate_limit: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Refuse what is beyond N requests per second (GoCardless: per minute); 0: beyond the limits "
            "that each gateway publishes. Without it there is no limit.",
        ),
    ] = None,
    clock_speed: Annotated[
        float,
        typer.Option(
            metavar="N",
            help="Seconds of the gateways' own clock to a real one: with 20000, a banking day takes 4 s.",
        ),
    ] = 1.0,
    timed_settlement: Annotated[
        bool,
        typer.Option(
            "--timed-settlement",
            help="Let GoCardless' debits settle by its clock, on the days of their scheme. Without it they "
            "wait for a scenario simulator, as in a sandbox.",
        ),
    ] = False,
    tls_wanted: Annotated[
        bool,
        typer.Option(
            "--tls",
            help="Serve the gateways over HTTPS, by a certificate authority of this machine's own; says "
            "where it is and how to trust it. The platform and the admin interfaces stay on HTTP.",
        ),
    ] = False,
    tls_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the authority is kept for the next time. Default: paydrill/tls in $XDG_DATA_HOME, "
            "~/.local/share without it.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep everything in FILE.stripe, FILE.adyen and so on, and go on from there at the next "
            "start, after a kill too: payments, keys, events, clock. Without it all is forgotten at the end.",
        ),
    ] = None,
) -> None:
    """Serve mock gateways until stopped.

    For example: paydrill mock stripe adyen:8080 --admin 12100 --state mocks
    """
    ports = _ports(servers or [*GATEWAYS, "platform"])
    scenario = _scenario([name for name in ports if name != "platform"], latency, seed)
    extras = _extras([name for name in ports if name != "platform"], webhooks or [], admin, rate_limit)
    _set_time(extras, clock_speed, timed_settlement)
    _guard(extras, admin_host)
    files = _tls(tls_wanted, tls_dir)
    for name, extra in extras.items():
        if files is not None:
            extra["tls"] = {"certificate": str(files.certificate), "key": str(files.key)}
        if state is not None:
            extra["state"] = f"{state.absolute()}.{name}"
    stop = Stop()
    with tempfile.TemporaryDirectory(prefix="paydrill-mock-") as folder:
        children: list[Child] = []
        try:
            store = Path(folder) / "platform.sqlite" if state is None else Path(f"{state}.platform")
            guide = _serve(scenario, ports, extras, Path(folder), store, files, children)
            for line in guide:
                typer.echo(line)
            typer.echo("serving until stopped with Ctrl-C", err=True)
            while not stop.asked:
                time.sleep(0.1)
                for child in children:
                    if child.died:
                        leave(ABORTED, child.death_notice())
        except ChildError as error:
            leave(ABORTED, str(error))
        finally:
            end_all(children, grace=5.0)


def _set_time(extras: dict[str, plans.Plan], clock_speed: float, timed_settlement: bool) -> None:
    if not 0 < clock_speed < math.inf:
        leave(USAGE, f"a clock runs at a speed above 0, not at {clock_speed}")
    for extra in extras.values():
        if clock_speed != 1:
            extra["clock_speed"] = clock_speed
    if timed_settlement:
        if "gocardless" not in extras:
            leave(USAGE, "timed settlement is GoCardless', which is not served")
        extras["gocardless"]["settlement"] = "timed"


def _guard(extras: dict[str, plans.Plan], host: str) -> None:
    """Where the admin interfaces listen, and what they demand."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    try:
        check_host(host, token)
    except ValueError as error:
        leave(USAGE, f"--admin-host: {error}, in ${TOKEN_VARIABLE}")
    for extra in extras.values():
        if "admin_port" in extra:
            extra |= {"admin_host": host, "admin_token": token}


def _extras(
    gateways: list[str], webhooks: list[str], admin: int | None, rate_limit: int | None
) -> dict[str, plans.Plan]:
    """What the gateways' plans hold besides what a drill's do."""
    for url in webhooks:
        try:
            check_url(url)
        except ValueError as error:
            leave(USAGE, f"--webhooks: {error}")
    extras: dict[str, plans.Plan] = {name: {} for name in gateways}
    for number, extra in enumerate(extras.values()):
        if webhooks:
            extra["webhooks"] = {"urls": webhooks}
        if admin is not None:
            extra["admin_port"] = admin + number if admin else 0
        if rate_limit is not None:
            extra["rate_limit"] = rate_limit or True
    return extras


def _serve(
    scenario: Scenario,
    ports: dict[str, int],
    extras: dict[str, plans.Plan],
    folder: Path,
    store: Path,
    files: TlsFiles | None,
    children: list[Child],
) -> list[str]:
    """Start everything, and say where it is, a line each. Returns what else there is to say."""
    urls: dict[str, str] = {}
    secrets: dict[str, str] = {}
    guide: list[str] = []
    for name in sorted(ports, key=lambda name: name == "platform"):
        child = Child(name, ["-m", "mocks.process"], folder / f"{name}.log")
        children.append(child)
        if name == "platform":
            known = {gateway: url for gateway, url in urls.items() if gateway in CONNECTORS}
            plan = plans.platform(scenario, known, store, None, ports[name], secrets=secrets)
            if files is not None:
                for entry in plan["gateways"]:
                    entry["authority"] = str(files.authority)
            child.plan(plan)
        else:
            child.plan(plans.gateway(scenario, name, None, ports[name]) | extras[name])
        ready = child.ready()
        scheme = "https" if files is not None and name != "platform" else "http"
        urls[name] = f"{scheme}://127.0.0.1:{ready['port']}"
        child.go({"epoch_ns": time.monotonic_ns()})
        typer.echo(f"{name} {urls[name]}")
        if "admin_port" in ready:
            typer.echo(f"{name}-admin http://{extras[name]['admin_host']}:{ready['admin_port']}")
        if name == "platform":
            for gateway in children[:-1]:
                # Who names URLs of their own wants the webhooks there.
                if "webhooks" not in extras[gateway.name]:
                    gateway.deliver(plans.webhooks(scenario, gateway.name, urls[name]))
        else:
            secrets[name] = str(ready.get("webhook_secret", ""))
            guide += pointing(name, urls[name], str(ready.get("webhook_secret", "")))
    if files is not None:
        guide += trusting(files.authority, next(iter(urls.values())))
    return guide


def _tls(wanted: bool, folder: Path | None) -> TlsFiles | None:
    if not wanted:
        if folder is not None:
            leave(USAGE, "--tls-dir says where --tls keeps its authority; give --tls, too")
        return None
    # Only this option needs the library, which takes a while to import.
    from mocks import tls

    try:
        return tls.prepare((folder or tls.default_folder()).absolute(), tls.now())
    except tls.TlsError as error:
        leave(USAGE, f"--tls: {error}")


def _ports(servers: list[str]) -> dict[str, int]:
    known = {**{name: gateway.default_port for name, gateway in GATEWAYS.items()}, "platform": PLATFORM_PORT}
    ports: dict[str, int] = {}
    for server in servers:
        name, colon, port = server.partition(":")
        if name not in known:
            leave(USAGE, f"there is no mock {name!r}; {nearest(name, known)}")
        if colon and not (port.isdigit() and int(port) < 65536):
            leave(USAGE, f"{server}: {port!r} is not a port")
        if name in ports:
            leave(USAGE, f"{name} is named twice")
        ports[name] = int(port) if colon else known[name]
    if "platform" in ports and not set(ports) & set(CONNECTORS):
        leave(
            USAGE, "the platform needs a gateway to pay through; name one too: paydrill mock stripe platform"
        )
    return ports


def _scenario(gateways: list[str], latency: str, seed: int) -> Scenario:
    p50, _, p99 = latency.partition(",")
    try:
        if not 0 < parse_duration(p50) <= parse_duration(p99):
            raise ValueError("p50 must be above zero, and p99 not below it")
    except ValueError as error:
        leave(USAGE, f"--latency {latency}: {error}; write it like 120ms,600ms")
    return Scenario.model_validate(
        {
            "name": "mock",
            "seed": seed,
            "platform": {"reference": {}},
            "gateways": {name: {"latency": {"p50": p50, "p99": p99}} for name in gateways},
            "load": {"arrivals": [{"duration": "1s", "rate": "1/s"}]},
        }
    )
