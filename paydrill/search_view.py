"""What a person sees while a search for the peak runs: a line for each step, and where the current one is."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.status import Status
from rich.text import Text

from paydrill.live_state import LiveState
from reports import peak_wording
from reports.peak_findings import StepFindings
from reports.render import units
from scenarios.peak_search import Limits, Outcome, Step
from scenarios.schema import Scenario

_S = 1_000_000_000
STYLES: dict[Outcome, str] = {
    "held": "bold green",
    "broke": "bold red",
    "undecided": "bold yellow",
    "unsound": "bold yellow",
    "blind": "bold yellow",
}


class SearchView:
    """Shows a search; a view of each of its drills.

    Args:
        console: Where to.
        limits: Of the search.
        quiet: Show nothing.
    """

    def __init__(self, console: Console, limits: Limits, quiet: bool) -> None:
        self._console = console
        self._limits = limits
        self._quiet = quiet
        self._status: Status | None = None
        self._step = ""
        self._end_ns = 0

    def __enter__(self) -> SearchView:
        if self._console.is_terminal and not self._quiet:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def begin(self, number: int, step: Step, scenario: Scenario) -> None:
        """A step begins."""
        self._step = (
            f"step {number}/{self._limits.steps}  {peak_wording.rate(step.rate)}, "
            f"{peak_wording.WHYS[step.why]}"
        )
        self._end_ns = scenario.duration_ns

    def step(self, text: str) -> None:
        """Something begins that takes time."""
        self._tell(text)

    def show(self, state: LiveState, now_ns: int) -> None:
        """How far the arrivals of the current step are."""
        success, p95 = state.success(), state.p95_ns()
        left = max(0, self._end_ns - now_ns) / _S
        self._tell(
            f"{left:.0f} s left  now {state.achieved():,.0f}/s  success {units.share(success)}  "
            f"p95 {units.duration(p95)}"
        )

    def end(self, step: StepFindings) -> None:
        """A step has been judged."""
        if self._quiet:
            return
        line = Text(f"{step.number:>3}  {peak_wording.rate(step.rate):>8}  ")
        line.append(f"{peak_wording.outcome(step)}", style=STYLES[step.outcome])
        line.append(
            f"  achieved {peak_wording.rate(step.achieved)}, success {units.share(step.success.value)}, p95 "
            f"{peak_wording.percentile(step.p95)}",
            style="dim",
        )
        self._console.print(line, soft_wrap=True)

    def _tell(self, text: str) -> None:
        if self._status is not None:
            line = f"{self._step}  {text}" if self._step else text
            self._status.update(Text(line, style="dim", no_wrap=True, overflow="ellipsis"))
