"""``paydrill fault``: faults on running mocks and proxies, by hand."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import typer

from paydrill.admin_client import (
    PORTS,
    TOKEN_VARIABLE,
    AdminClient,
    AdminError,
    Body,
    UnreachableError,
    running,
)
from paydrill.console import console
from paydrill.exits import ABORTED, USAGE, leave
from paydrill.fault_table import show_faults, time_left
from scenarios.finding import nearest

fault = typer.Typer(
    help="Faults on running mocks and proxies, by hand.", no_args_is_help=True, rich_markup_mode="rich"
)

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_T = TypeVar("_T")

Admins = Annotated[
    list[str] | None,
    typer.Option(
        "--admin",
        metavar="URL",
        help="An admin interface; may be repeated. Default: all that this machine has on ports "
        f"{PORTS[0]} to {PORTS[-1]}.",
    ),
]


@fault.callback()
def _fault() -> None:
    """Faults on running mocks and proxies, by hand.

    They have to be served with an admin interface: paydrill mock --admin 12100
    """


@fault.command()
def add(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A mock or proxy by its name: stripe.")],
    name: Annotated[str, typer.Argument(metavar="FAULT", help="See paydrill fault about.")],
    for_: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="When it ends by itself. Default: 5min.")
    ] = None,
    share: Annotated[
        str | None,
        typer.Option(metavar="N%", help="The share of requests, drawn per request. Default: 100%."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this endpoint: payment_intents.create.")
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TRAIT=VALUE", help="Only such requests: currency=EUR, card=4000..4099; may be repeated."
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A parameter of the fault: status=503; may be repeated."),
    ] = None,
    ramp: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long it takes to come to full strength.")
    ] = None,
    flap: Annotated[
        str | None, typer.Option(metavar="ON,OFF", help="On and off by turns while it lasts: 2s,3s.")
    ] = None,
    repeat: Annotated[
        str | None,
        typer.Option(metavar="EVERY,TIMES", help="Come again, so many times in all, so far apart: 1min,3."),
    ] = None,
    admins: Admins = None,
) -> None:
    """Start a fault now.

    For example: paydrill fault add stripe outage --for 20s

    It ends by itself after --for, or when it is cleared. Prints its id.
    Exit codes: 0 it is on, 2 no such fault or server, 4 nothing answers.
    """
    words: Body = {"fault": name}
    for word, value in {"for": for_, "share": share, "endpoint": endpoint, "ramp": ramp}.items():
        if value is not None:
            words[word] = value
    if match:
        words["match"] = _matched(match)
    if param:
        words["params"] = _params(name, param)
    if flap is not None:
        words["flap"] = dict(zip(("on", "off"), _two("--flap", flap), strict=True))
    if repeat is not None:
        every, times = _two("--repeat", repeat)
        words["repeat"] = {"every": every, "times": _value(times)}
    client = _named(target, _found(admins))
    added = _ask(lambda: client.add(words))
    typer.echo(f"{added['id']} is on, for {time_left(added)}; to end it: paydrill fault clear {added['id']}")


@fault.command("list")
def list_faults(admins: Admins = None) -> None:
    """The faults that are on or still to come, with what they have hit.

    Exit codes: 0 said, 4 nothing answers.
    """
    found = _found(admins)
    faults = [fault for _, server in found for fault in server["faults"]]
    if not faults:
        typer.echo(f"no fault is on {', '.join(server['on'] for _, server in found)}")
        return
    show_faults(console(), faults)


@fault.command()
def clear(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Default: all.")] = None,
    admins: Admins = None,
) -> None:
    """End faults now, and restore health; all of them unless some are named.

    Exit codes: 0 they are off, 2 no such fault, 4 nothing answers.
    """
    clients = _clients(admins)
    cleared: list[str] = []
    unknown: dict[str, str] = {}
    troubles: list[str] = []
    wanted: Sequence[str | None] = ids or (None,)
    for id in wanted:
        refusals: list[str] = []
        # A server that does not answer must not keep the others from being cleared.
        for client in clients:
            try:
                cleared += client.clear(id)
            except AdminError as error:
                (refusals if error.status == 404 else troubles).append(f"{client.url}: {_explained(error)}")
            except UnreachableError as error:
                troubles.append(str(error))
        if id is not None and len(refusals) == len(clients):
            unknown[id] = "\n".join(refusals)
    for id in cleared:
        typer.echo(f"cleared {id}")
    if troubles:
        leave(ABORTED, "\n".join(troubles))
    if unknown:
        leave(USAGE, "\n".join(unknown.values()))
    if not cleared:
        typer.echo("no fault was on")


@fault.command()
def about(
    name: Annotated[str | None, typer.Argument(metavar="[FAULT]", help="One of them, in full.")] = None,
) -> None:
    """The faults that there are, a line each; or what one does, and its parameters."""
    from mocks.faults import FAULTS
    from mocks.faults.words import parameter_text

    if name is None:
        width = max(map(len, FAULTS))
        for known, kind in FAULTS.items():
            typer.echo(f"{known:<{width}}  {_sentence(kind)}")
        return
    if name not in FAULTS:
        leave(USAGE, f"there is no fault {name!r}; {nearest(name, FAULTS)}")
    typer.echo(inspect.getdoc(FAULTS[name]) or "")
    if FAULTS[name].PARAMETERS:
        typer.echo("\nParameters:")
    for key, parameter in FAULTS[name].PARAMETERS.items():
        takes = " or ".join(parameter.choices) or parameter.kind
        default = parameter_text(parameter.kind, parameter.default)
        typer.echo(f"  {key} ({takes}; {default} when left out): {parameter.about}")


def _clients(admins: Sequence[str] | None) -> list[AdminClient]:
    """The admin interfaces asked for, or those that there are; leaves when there is none."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    if admins:
        try:
            return [AdminClient(url.rstrip("/"), token) for url in admins]
        except ValueError as error:
            leave(USAGE, f"--admin: {error}")
    found = running(PORTS, token)
    if not found:
        leave(
            ABORTED,
            f"no mock or proxy has an admin interface on ports {PORTS[0]} to {PORTS[-1]} of this machine; "
            f"start one with: paydrill mock stripe --admin {PORTS[0]}, or say where it is: --admin URL",
        )
    return [client for client, _ in found]


def _found(admins: Sequence[str] | None) -> list[tuple[AdminClient, Body]]:
    """The same, each with what it lists; leaves when one doesn't answer."""
    return [(client, _ask(client.faults)) for client in _clients(admins)]


def _named(target: str, found: Sequence[tuple[AdminClient, Body]]) -> AdminClient:
    clients = [client for client, server in found if server["on"] == target]
    if not clients:
        there = ", ".join(server["on"] for _, server in found)
        leave(USAGE, f"no {target!r} is running with an admin interface; there is {there}")
    if len(clients) > 1:
        urls = " and ".join(client.url for client in clients)
        leave(USAGE, f"{target} is served by {urls}; say which: --admin URL")
    return clients[0]


def _ask(call: Callable[[], _T]) -> _T:
    try:
        return call()
    except AdminError as error:
        leave(USAGE, _explained(error))
    except UnreachableError as error:
        leave(ABORTED, str(error))


def _explained(error: AdminError) -> str:
    hint = f"; put it into ${TOKEN_VARIABLE}" if error.status == 401 else ""
    return f"{error.field}: {error}" if error.field else f"{error}{hint}"


def _matched(given: Sequence[str]) -> dict[str, list[str]]:
    match: dict[str, list[str]] = {}
    for pair in given:
        trait, value = _pair("--match", pair)
        match.setdefault(trait, []).extend(part.strip() for part in value.split(","))
    return match


def _params(name: str, given: Sequence[str]) -> dict[str, Any]:
    from mocks.faults import FAULTS

    known = FAULTS[name].PARAMETERS if name in FAULTS else {}
    params: dict[str, Any] = {}
    for pair in given:
        key, value = _pair("--param", pair)
        # What is a text stays one, even if it looks like a number.
        params[key] = value if key in known and known[key].kind == "text" else _value(value)
    return params


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        leave(USAGE, f"{option} {text}: write it as NAME=VALUE")
    return name, value


def _two(option: str, text: str) -> tuple[str, str]:
    first, _, last = text.partition(",")
    if not first.strip() or not last.strip():
        leave(USAGE, f"{option} {text}: write two values with a comma between")
    return first.strip(), last.strip()


def _value(text: str) -> object:
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return {"true": True, "false": False}.get(text, text)


def _sentence(kind: type) -> str:
    text = " ".join((inspect.getdoc(kind) or "").split())
    return re.split(r"\.(?: |$)|: ", text, maxsplit=1)[0].replace("``", "")
