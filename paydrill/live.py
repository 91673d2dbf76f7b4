"""What a person sees while a drill runs: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from paydrill.live_state import LiveState
from scenarios.arrivals import peak_rate, rate_at, stretches
from scenarios.schema import GOOD_SHARE, Scenario

_S = 1_000_000_000
_BAR = 72
_BUDGET_SECONDS = 43.2 * 60


class View(Protocol):
    """Shows a drill. ``show`` is called a few times a second."""

    def step(self, text: str) -> None:
        """Something begins that takes time: starting, settling, building the report."""

    def show(self, state: LiveState, now_ns: int) -> None: ...

    def __enter__(self) -> View: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Quiet:
    """Shows nothing."""

    def step(self, text: str) -> None:
        pass

    def show(self, state: LiveState, now_ns: int) -> None:
        pass

    def __enter__(self) -> View:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class Lines(Quiet):
    """Plain lines: the figures every five seconds, and what happens when it happens."""

    EVERY_NS = 5 * _S

    def __init__(self, console: Console, scenario: Scenario) -> None:
        self._console = console
        self._scenario = scenario
        self._next = 0
        self._told = 0
        self._step = ""

    def step(self, text: str) -> None:
        # A step that counts something says so again and again; in a log, once is enough.
        subject = text.partition(":")[0]
        if subject != self._step:
            self._print(text)
        self._step = subject

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def show(self, state: LiveState, now_ns: int) -> None:
        for at, text in state.news[self._told :]:
            self._print(f"  {clock(at)}  {text}")
        self._told = len(state.news)
        if self._next <= now_ns <= self._scenario.duration_ns:
            self._next = (now_ns // self.EVERY_NS + 1) * self.EVERY_NS
            shares = "  ".join(f"{name} {state.share(name):.0%}" for name in self._scenario.gateways)
            self._print(f"  {clock(now_ns)}  {_figures(self._scenario, state, now_ns)}  {shares}")


class Screen:
    """A view that is drawn in place."""

    def __init__(self, console: Console, scenario: Scenario) -> None:
        self._scenario = scenario
        self._live = Live(console=console, refresh_per_second=8, transient=True)
        self._status = Text()

    def __enter__(self) -> View:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def step(self, text: str) -> None:
        self._live.update(Text(text, style="dim"))

    def show(self, state: LiveState, now_ns: int) -> None:
        self._live.update(picture(self._scenario, state, now_ns))


def picture(scenario: Scenario, state: LiveState, now_ns: int) -> RenderableType:
    """The live view of one moment."""
    head = Table.grid(padding=(0, 3))
    offered = rate_at(scenario.load.arrivals, now_ns)
    success, p95 = state.success(), state.p95_ns()
    head.add_row(
        _figure("stage", _stage(scenario, now_ns)),
        _figure("offered", f"{offered:.0f}/s"),
        _figure("achieved", f"{state.achieved():.0f}/s"),
        _figure("success", "-" if success is None else _percent(success), _mood(success)),
        _figure("p95", "-" if p95 is None else f"{p95 / 1e6:.0f} ms"),
        _figure("ended", f"{state.done:,}"),
        _figure("not as planned", f"{state.failed:,}", "yellow" if state.failed else "green"),
    )
    budget = _budget(scenario, state, now_ns)
    return Panel(
        Group(
            _timeline(scenario, now_ns),
            Text(),
            head,
            Text(),
            _gateways(scenario, state, now_ns),
            Text(),
            budget,
        ),
        title=f"[bold]{scenario.name}[/]",
        subtitle=f"{clock(now_ns)} of {clock(scenario.duration_ns)}",
        box=box.ROUNDED,
        padding=(1, 2),
        width=96,
    )


def clock(ns: int) -> str:
    """``mm:ss`` of a time of the run."""
    sign = "-" if ns < 0 else ""
    seconds = abs(ns) // _S
    return f"{sign}{seconds // 60:02d}:{seconds % 60:02d}"


def _timeline(scenario: Scenario, now_ns: int) -> RenderableType:
    """The load's shape as blocks, how far it is, and a row for each fault below it."""
    end = scenario.duration_ns
    peak = peak_rate(scenario.load.arrivals) or 1
    blocks = "▁▂▃▄▅▆▇█"
    load = Text.assemble(("load    ", "dim"))
    for cell in range(_BAR):
        at = (cell * end) // _BAR
        level = blocks[min(7, int(rate_at(scenario.load.arrivals, at) / peak * 7.999))]
        load.append(level, style="cyan" if at <= now_ns else "grey42")
    rows: list[Text] = [load]
    for fault in scenario.faults:
        row = Text.assemble((f"{fault.on[:7]:<8}", "dim"))
        for cell in range(_BAR):
            at = (cell * end) // _BAR
            on = fault.at <= at < fault.end
            row.append("█" if on else "·", style=("red" if at <= now_ns else "grey50") if on else "grey30")
        row.append(f"  {fault.fault}", style="red" if fault.at <= now_ns < fault.end else "dim")
        rows.append(row)
    return Group(*rows)


def _gateways(scenario: Scenario, state: LiveState, now_ns: int) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in ("gateway", "truth", "breaker", "probe", "share", ""):
        table.add_column(column, header_style="dim")
    for name in scenario.gateways:
        active = [
            fault
            for identity, fault in scenario.identified_faults()
            if fault.on == name and state.faults.get(identity) == "started"
        ]
        if active:
            left = max(0, max(fault.end for fault in active) - now_ns)
            what = ", ".join(fault.fault for fault in active)
            truth = Text(f"{what}, {left / _S:.0f} s left", style="bold red")
        else:
            truth = Text("healthy", style="green")
        share = state.share(name)
        breaker = state.breakers.get(name, "closed")
        table.add_row(
            name,
            truth,
            Text(breaker, style="green" if breaker == "closed" else "yellow"),
            _probe_word(state, name),
            f"{share:.0%}",
            Text("█" * round(share * 24), style="cyan"),
        )
    table.add_row("platform", "", "", _probe_word(state, "platform"), "", "")
    return table


def _probe_word(state: LiveState, target: str) -> Text:
    outcomes = [outcome for (_, on), outcome in sorted(state.probes.items()) if on == target]
    if not outcomes:
        return Text("-", style="dim")
    worst = "fail" if "fail" in outcomes else "unknown" if "unknown" in outcomes else "ok"
    return Text(worst, style={"ok": "green", "fail": "bold red", "unknown": "yellow"}[worst])


def _budget(scenario: Scenario, state: LiveState, now_ns: int) -> Text:
    # The last seconds still have payments in flight: they are not judged yet.
    bad = state.bad_seconds(now_ns - 2 * _S)
    text = Text.assemble((f"bad seconds {bad}", "yellow" if bad else "green"))
    monthly = scenario.objectives.monthly_uptime
    if monthly is not None:
        left = max(0.0, 1 - bad * monthly.incidents / _BUDGET_SECONDS)
        text.append(
            f"   month's 43.2 min left at {monthly.incidents:g} such incidents: {left:.1%}", style="dim"
        )
    if warning := state.warning():
        text.append(f"\nload generator: {warning}", style="bold red")
    if state.never_sent:
        text.append(f"   never sent {state.never_sent}", style="bold red")
    return text


def _figures(scenario: Scenario, state: LiveState, now_ns: int) -> str:
    success, p95 = state.success(), state.p95_ns()
    return (
        f"{_stage(scenario, now_ns):<14} offered {rate_at(scenario.load.arrivals, now_ns):4.0f}/s  "
        f"achieved {state.achieved():4.0f}/s  success {'-' if success is None else _percent(success):>6}  "
        f"p95 {'-' if p95 is None else f'{p95 / 1e6:.0f} ms':>7}"
        + (f"  GENERATOR {warning}" if (warning := state.warning()) else "")
    )


def _stage(scenario: Scenario, now_ns: int) -> str:
    if now_ns < 0:
        return f"in {-now_ns / _S:.0f} s"
    for stretch in stretches(scenario.load.arrivals):
        if now_ns < stretch.end_ns:
            return stretch.name
    return "users" if now_ns < scenario.duration_ns else "ending"


def _figure(name: str, value: str, style: str = "") -> Text:
    return Text.assemble((name + "\n", "dim"), (value, f"bold {style}".strip()))


def _mood(success: float | None) -> str:
    return "" if success is None else "green" if success >= GOOD_SHARE else "red"


def _percent(share: float) -> str:
    """A share that only shows 100% when it is."""
    return "100%" if share == 1 else f"{min(share * 100, 99.9):.1f}%"


def view_for(console: Console, scenario: Scenario, quiet: bool) -> View:
    """The view that fits where the output goes."""
    if quiet:
        return Quiet()
    return Screen(console, scenario) if console.is_terminal else Lines(console, scenario)
