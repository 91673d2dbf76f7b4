"""``paydrill``: the command. One file per verb; this one only puts them together."""

from __future__ import annotations

import typer

from paydrill import __version__
from paydrill.check import check
from paydrill.fault import fault
from paydrill.latency import latency
from paydrill.list import list_scenarios
from paydrill.mock import mock
from paydrill.plan import plan
from paydrill.probe import probe
from paydrill.proxy import proxy
from paydrill.report import report
from paydrill.run import run

app = typer.Typer(
    name="paydrill",
    help="Drills for payment platforms: load, faults, probes, and a verdict that checks the money.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command()(run)
app.command()(check)
app.command("list")(list_scenarios)
app.command()(plan)
app.command()(mock)
app.command()(proxy)
app.command()(probe)
app.command()(report)
app.add_typer(fault, name="fault")
app.add_typer(latency, name="latency")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paydrill {__version__}")
        raise typer.Exit


@app.callback()
def _paydrill(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Say the version."
    ),
) -> None:
    pass


def main() -> None:
    """The entry point of the ``paydrill`` script."""
    app()


if __name__ == "__main__":
    main()
