"""What is known of a drill while it runs: a fold over the journal's newest batches.

It feeds the live view, and the scenario's condition for an early end. Nothing of it reaches the verdict,
which is judged from the whole journal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from journal.records import GENERATOR
from reports.bottleneck import BUSY
from reports.observed import LATE_NS
from scenarios.schema import GOOD_SHARE, Scenario

_S = 1_000_000_000
WINDOW_NS = 3 * _S
LAG_NS = _S
"""The live figures speak of payments that ended in three seconds, up to a second ago: what ended since may
not have been flushed by everybody."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A payment that has ended: what the live figures need of it."""

    at_ns: int
    latency_ns: int | None
    success: bool
    gateway: str
    loop: str = "open"


@dataclass(slots=True)
class Slice:
    due: int = 0
    good: int = 0


@dataclass(slots=True)
class LiveState:
    """Attributes:
    recent: Payments that ended within the window, oldest first.
    faults: Fault id -> phase (``armed``, ``started``, ``stopped``).
    probes: (probe, target) -> last outcome.
    breakers: Gateway -> the platform's own word for its breaker.
    generators: Load process -> what is wrong with it, empty if nothing is, by its last sample.
    slices: Second of the load -> payments due in it that have ended.
    """

    scenario: Scenario
    recent: deque[Seen] = field(default_factory=deque)
    done: int = 0
    failed: int = 0
    never_sent: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    hits: dict[str, int] = field(default_factory=dict)
    probes: dict[tuple[str, str], str] = field(default_factory=dict)
    breakers: dict[str, str] = field(default_factory=dict)
    generators: dict[str, str] = field(default_factory=dict)
    slices: dict[int, Slice] = field(default_factory=dict)
    news: list[tuple[int, str]] = field(default_factory=list)
    _seen_until_ns: int = 0

    def take(self, batches: Iterable[tuple[str, pa.RecordBatch]]) -> list[Seen]:
        """Fold new batches in. Returns the payments among them that have ended."""
        ended: list[Seen] = []
        for table, batch in batches:
            rows = batch.to_pylist()
            if table == "payment":
                ended += [seen for row in rows if (seen := self._payment(row)) is not None]
            elif table == "fault":
                for row in rows:
                    self.faults[row["id"]] = row["phase"]
                    self.hits[row["id"]] = row["hits"]
                    if row["phase"] != "armed":
                        self.news.append((row["at_ns"], f"{row['on']}: {row['name']} {row['phase']}"))
            elif table == "probe":
                for row in rows:
                    self._probe(row)
            elif table == "generator":
                for row in rows:
                    self._generator(row)
            elif table == "mark":
                for row in rows:
                    load = f"{row['source']} " if row["source"].startswith("load-") else ""
                    self.news.append((row["at_ns"], load + row["text"]))
                    if "breaker" in row["text"]:
                        gateway, _, state = row["text"].partition(": breaker ")
                        self.breakers[gateway] = state
        return ended

    def forget(self, now_ns: int) -> None:
        """Drop from the window what has left it."""
        while self.recent and self.recent[0].at_ns < now_ns - LAG_NS - WINDOW_NS:
            self.recent.popleft()
        self._seen_until_ns = now_ns - LAG_NS

    def achieved(self) -> float:
        """Payments that ended per second, over the window."""
        ended = sum(seen.at_ns <= self._seen_until_ns for seen in self.recent)
        return ended / (WINDOW_NS / _S)

    def success(self) -> float | None:
        return sum(seen.success for seen in self.recent) / len(self.recent) if self.recent else None

    def p95_ns(self) -> int | None:
        """95th percentile of latency over the window, of the open loop if there is one; ``None`` when it
        falls on an unanswered payment."""
        loop = "open" if self.scenario.load.arrivals else "closed"
        timed = (seen.latency_ns for seen in self.recent if seen.loop == loop)
        ordered = sorted(float("inf") if latency is None else latency for latency in timed)
        if not ordered:
            return None
        value = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
        return None if value == float("inf") else int(value)

    def share(self, gateway: str) -> float:
        """The gateway's share of the payments in the window that some gateway answered."""
        answered = [seen.gateway for seen in self.recent if seen.gateway]
        return answered.count(gateway) / len(answered) if answered else 0.0

    def bad_seconds(self, until_ns: int) -> int:
        """Slices so far in which less than 98% of the payments succeeded."""
        return sum(
            1
            for second, slice_ in self.slices.items()
            if (second + 1) * _S <= until_ns and slice_.due and slice_.good < GOOD_SHARE * slice_.due
        )

    def _payment(self, row: dict[str, object]) -> Seen | None:
        due, done, sent = row["due_ns"], row["done_ns"], row["sent_ns"]
        assert isinstance(due, int)
        if sent is None:
            self.never_sent += 1
            return None
        assert isinstance(sent, int)
        latency = done - due if isinstance(done, int) else None
        success = (
            row["error"] == ""
            and row["outcome"] == row["expected"]
            and latency is not None
            and latency <= self.scenario.load.timeout
        )
        timeout = self.scenario.load.timeout
        cut_short = not success and sent - due > LATE_NS and (latency is None or latency > timeout)
        if cut_short or str(row["error"]).startswith(GENERATOR):
            # The generator's failure, not the platform's: it must not end the drill.
            self.never_sent += 1
            return None
        at = done if isinstance(done, int) else due + self.scenario.load.timeout
        self.done += 1
        self.failed += not success
        slice_ = self.slices.setdefault(due // _S, Slice())
        slice_.due += 1
        slice_.good += success
        seen = Seen(at, latency, success, str(row["gateway"]), str(row["loop"]))
        self.recent.append(seen)
        return seen

    def warning(self) -> str:
        """What is wrong with the load generator now, empty if nothing is."""
        return "; ".join(f"{name} {what}" for name, what in sorted(self.generators.items()) if what)

    def _generator(self, row: dict[str, Any]) -> None:
        name, at, length = row["process"], row["at_ns"], row["interval_ns"]
        if at <= 0:
            return
        late = max([row["lateness_max_ns"], *row["loop_lags_ns"]])
        busy = row["cpu_ns"] / length if length > _S // 2 else 0.0
        wrong = []
        if late > LATE_NS:
            wrong.append(f"is up to {late / 1e6:.0f} ms late")
        if busy >= BUSY:
            wrong.append(f"uses {busy:.0%} of a core")
        before, self.generators[name] = self.generators.get(name, ""), " and ".join(wrong)
        if wrong and not before:
            self.news.append((at, f"load generator: {name} {self.generators[name]}"))
        elif before and not wrong:
            self.news.append((at, f"load generator: {name} keeps up again"))

    def _probe(self, row: dict[str, object]) -> None:
        key = (str(row["probe"]), str(row["target"]))
        before, now = self.probes.get(key), str(row["outcome"])
        self.probes[key] = now
        if before is not None and before != now and "unknown" not in (before, now):
            at = row["done_ns"]
            assert isinstance(at, int)
            self.news.append((at, f"probe {key[0]} of {key[1]}: {now}"))
