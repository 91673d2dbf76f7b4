"""Runs made by hand: each payment is put into all views consistently, unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from journal.records import (
    FaultEvent,
    GatewayRequest,
    Intent,
    Mark,
    Movement,
    Payment,
    PlatformEntry,
    ProbeResult,
    Record,
)
from journal.writer import Writer
from scenarios.schema import Scenario

S = 1_000_000_000
MS = 1_000_000


class Drill:
    """Collects records and writes them as a run folder.

    Args:
        seconds: Length of the load.
        faults: As in a scenario, e.g. ``{"at": "10s", "for": "5s", "on": "stripe", "fault": "outage"}``.
        objectives: As in a scenario.
        more: Further keys of the scenario.
    """

    def __init__(
        self,
        seconds: int = 30,
        *,
        faults: Sequence[Mapping[str, Any]] = (),
        objectives: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self.scenario = Scenario.model_validate(
            {
                "name": "by-hand",
                "gateways": {"stripe": {}, "adyen": {}},
                "load": {"arrivals": [{"duration": f"{seconds}s", "rate": "40/s"}]},
                "faults": list(faults),
                "objectives": dict(objectives or {}),
            }
            | more
        )
        self.records: list[tuple[str, Record]] = []
        self.planned: int | None = None
        self.paid = 0

    def add(self, process: str, *records: Record) -> None:
        """Put records into the journal of a process."""
        self.records += [(process, record) for record in records]

    def pay(
        self,
        due_ns: int,
        *,
        order: str = "",
        amount: int = 1000,
        currency: str = "EUR",
        method: str = "card",
        expected: str = "succeeded",
        outcome: str | None = None,
        latency_ns: int | None = 100 * MS,
        late_ns: int = 0,
        sent: bool = True,
        recorded: bool = True,
        error: str = "",
        gateway: str = "stripe",
        captures: int | None = None,
        captured_after_ns: int = 50 * MS,
        requested: bool = True,
        ledger: str | None = "",
        loop: str = "open",
    ) -> str:
        """One payment in all views. By default it ends as expected: captured once if it should succeed,
        declined by the gateway if it should be declined, and the platform's ledger says the same.

        ``ledger`` is the status that the ledger claims, ``None`` for no entry, empty for the true one.
        """
        order = order or f"run-{self.paid:07d}"
        self.paid += 1
        outcome = expected if outcome is None else outcome
        if captures is None:
            captures = int(expected == "succeeded" and sent)
        if sent:
            self.add("load-0", Intent(order, due_ns, due_ns + late_ns, loop))
        if recorded:
            sent_ns = due_ns + late_ns if sent else None
            done_ns = None if latency_ns is None or not sent else due_ns + latency_ns
            self.add(
                "load-0",
                Payment(
                    order, due_ns, sent_ns, done_ns, method, amount, currency, "card_ok", expected, outcome,
                    error, gateway, loop,
                ),
            )  # fmt: skip
        if not sent:
            return order
        if requested:
            result = "succeeded" if captures else "declined" if expected == "declined" else ""
            at = due_ns + late_ns + 2 * MS
            self.add(
                gateway or "stripe",
                GatewayRequest(
                    gateway or "stripe", "payments", at, at + 90 * MS, 200, result, "", order, order, False
                ),
            )
        for number in range(captures):
            self.capture(
                order,
                gateway or "stripe",
                f"ref-{order}-{number}",
                amount,
                currency,
                due_ns + captured_after_ns,
            )
        if ledger is not None:
            claimed = ledger or (
                "succeeded" if captures else "declined" if expected == "declined" else "failed"
            )
            self.enter(
                order, claimed, gateway or "stripe", f"ref-{order}-0" if captures else "", amount, currency
            )
        return order

    def capture(
        self,
        order: str,
        gateway: str,
        reference: str,
        amount: int = 1000,
        currency: str = "EUR",
        at_ns: int = 0,
    ) -> None:
        self.add(gateway, Movement(gateway, "capture", reference, "", order, amount, currency, at_ns))

    def refund(self, order: str, gateway: str, parent: str, amount: int = 1000, at_ns: int = 0) -> None:
        self.add(gateway, Movement(gateway, "refund", f"re-{parent}", parent, order, amount, "EUR", at_ns))

    def enter(
        self,
        order: str,
        status: str,
        gateway: str,
        reference: str,
        amount: int = 1000,
        currency: str = "EUR",
        refunded: int = 0,
    ) -> None:
        self.add(
            "platform",
            PlatformEntry(f"pay_{order}", order, amount, currency, status, gateway, reference, refunded),
        )

    def book(self, kind: str, reference: str, amount: int, order: str = "", gateway: str = "stripe") -> None:
        """An entry of the platform's ledger that is no payment."""
        row = PlatformEntry(reference, order, amount, "EUR", "succeeded", gateway, reference, 0, kind)
        self.add("platform", row)

    def move(
        self, kind: str, reference: str, amount: int, parent: str = "", order: str = "", at_ns: int = 0
    ) -> None:
        """A movement in Stripe's ledger."""
        self.add("stripe", Movement("stripe", kind, reference, parent, order, amount, "EUR", at_ns))

    def steady(self, start_ns: int, stop_ns: int, per_second: int = 40, **kwargs: Any) -> list[str]:
        """Evenly spaced payments due in [start, stop)."""
        gap = S // per_second
        return [self.pay(due, **kwargs) for due in range(start_ns, stop_ns, gap)]

    def fault_ran(
        self,
        name: str = "f1",
        on: str = "stripe",
        start_ns: int = 0,
        stop_ns: int | None = None,
        hits: int = 5,
    ) -> None:
        """The events of a fault; without ``stop_ns`` it never stopped."""
        self.add(on, FaultEvent(name, "outage", on, "armed", start_ns, -S, 0))
        self.add(on, FaultEvent(name, "outage", on, "started", start_ns, start_ns, 0 if stop_ns else hits))
        if stop_ns is not None:
            self.add(on, FaultEvent(name, "outage", on, "stopped", stop_ns, stop_ns, hits))

    def probe(self, sent_ns: int, outcome: str, target: str = "platform", takes_ns: int = 10 * MS) -> None:
        self.add(
            "probes",
            ProbeResult("http", target, sent_ns, sent_ns, sent_ns + takes_ns, outcome, "", ""),
        )

    def mark(self, at_ns: int, kind: str, text: str = "") -> None:
        self.add("conductor", Mark(at_ns, kind, "conductor", text))

    def write(self, folder: Path) -> Path:
        """Write the run folder, and give its path."""
        journal = folder / "journal"
        journal.mkdir(parents=True)
        for process in sorted({process for process, _ in self.records}):
            with Writer(journal, process) as writer:
                for owner, record in self.records:
                    if owner == process:
                        writer.write(record)
        planned = self.planned
        if planned is None:
            planned = len({r.id for _, r in self.records if isinstance(r, Payment | Intent)})
        block = {
            "id": "run",
            "started_at": "2026-01-02T03:04:05.000006Z",
            "epoch_ns": 1,
            "payments_planned": planned,
            "plan_digest": "0" * 64,
            "processes": 1,
            "versions": {"paydrill": "0.1.0"},
            "machine": {"cores": 2, "memory_gib": 24, "system": "Linux"},
            "command": "by hand",
        }
        text = yaml.safe_dump(self.scenario.to_plain() | {"run": block}, sort_keys=False)
        (folder / "scenario.yaml").write_text(text, encoding="utf-8")
        return folder
