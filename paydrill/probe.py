"""``paydrill probe``: run synthetic probes by hand."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from journal.clock import SECOND, Clock
from journal.records import Mark, ProbeResult
from mocks.loopback import is_loopback
from paydrill.exits import FAIL, INCONCLUSIVE, USAGE, leave
from paydrill.live import clock as mm_ss
from probes import PROBES
from probes.plan import ProbePlan, planned
from probes.watch import watch
from scenarios.finding import nearest
from scenarios.quantities import parse_duration

_STYLES = {"ok": "green", "fail": "bold red", "unknown": "yellow"}


def probe(
    targets: Annotated[
        list[str], typer.Argument(metavar="TARGET...", help="URLs; for payment, of a platform.")
    ],
    kind: Annotated[str, typer.Option("--probe", help="http or payment.")] = "http",
    every: Annotated[str, typer.Option(help="Time between two due times.")] = "1s",
    timeout: Annotated[str, typer.Option(help="When a probe gives up.")] = "2s",
    for_: Annotated[str, typer.Option("--for", help="How long; 0s for until Ctrl-C.")] = "10s",
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A host other than this machine that may be probed. Repeatable.")
    ] = None,
) -> None:
    """Run synthetic probes.

    Exit codes: 0 every probe was ok, 1 one failed, 2 usage, 3 no probe failed but one could not tell.
    """
    if kind not in PROBES:
        leave(USAGE, f"there is no probe {kind!r}; {nearest(kind, PROBES)}")
    allowed = allow_host or []
    try:
        every_ns, timeout_ns, for_ns = parse_duration(every), parse_duration(timeout), parse_duration(for_)
        plans = [
            planned(kind, target, target, every_ns=every_ns, timeout_ns=timeout_ns, allow_hosts=allowed)
            for target in targets
        ]
    except ValueError as error:
        leave(USAGE, str(error))
    counts = asyncio.run(_watch(plans, for_ns, {host: 10.0 for host in allowed if not is_loopback(host)}))
    total = sum(counts.values())
    typer.echo(f"{total} probes: " + ", ".join(f"{counts[outcome]} {outcome}" for outcome in _STYLES))
    if counts["fail"]:
        leave(FAIL)
    if counts["unknown"] or not total:
        leave(INCONCLUSIVE)


async def _watch(plans: Sequence[ProbePlan], for_ns: int, allow_hosts: dict[str, float]) -> Counter[str]:
    console = Console()
    counts: Counter[str] = Counter()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def tell(result: ProbeResult) -> None:
        counts[result.outcome] += 1
        took = (result.done_ns - result.sent_ns) / 1e6
        why = f"  {result.phase}: {result.detail}" if result.phase else ""
        console.print(
            f"{mm_ss(result.due_ns)}  [{_STYLES[result.outcome]}]{result.outcome:<7}[/]  {took:7.1f} ms  "
            f"{result.probe}  ", end="",
        )  # fmt: skip
        console.print(f"{result.target}{why}", markup=False, highlight=False, soft_wrap=True)

    def note(mark: Mark) -> None:
        console.print(f"{mm_ss(mark.at_ns)}  {mark.text}", markup=False, highlight=False, soft_wrap=True)

    start = Clock(Clock.starting_now().epoch_ns + SECOND // 10)
    await watch(
        plans,
        start,
        tell,
        for_ns or None,
        run=secrets.token_hex(3),
        stop=stop,
        on_note=note,
        allow_hosts=allow_hosts,
    )
    return counts
