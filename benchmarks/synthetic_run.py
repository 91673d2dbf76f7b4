"""Writes the run folder of a drill that was never played: the journal that a failover drill would leave.

For developing and timing the reports, and for tests that plant a defect and ask whether the report names
it. Everything is drawn from the seed; the same arguments write the same bytes.

    python -m benchmarks.synthetic_run /tmp/run --payments 200000 --kind failover --plant double_charge
"""

from __future__ import annotations

import argparse
import hashlib
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import yaml

from benchmarks.synthetic_money import Gateways, play, write_money
from benchmarks.synthetic_watch import write_watch
from journal.records import schema
from scenarios.schema import Scenario

Kind = Literal["failover", "outage", "steady"]
Defect = Literal[
    "double_charge",
    "refunded_double",
    "lost_payment",
    "not_in_ledger",
    "orphan",
    "told_failed_but_charged",
    "wrong_reference",
    "amount_mismatch",
    "refund_too_large",
    "unresolved",
    "late_generator",
    "never_sent",
    "killed_load",
    "no_hits",
    "no_ledger",
    "damaged",
    "aborted",
    "interrupted",
]
"""What can be planted. ``failover``: stripe is dark and cards move to adyen; ``outage``: both are dark;
``steady``: nothing happens."""

_S = 1_000_000_000
_MS = 1_000_000

OBJECTIVES: dict[Kind, dict[str, Any]] = {
    "failover": {
        "monthly_uptime": {"target": ">= 99.9%", "incidents": "10/month"},
        "success_rate": ">= 98%",
        "latency_p95": "< 800ms",
        "detection_time": "< 2s",
        "failover_time": "< 2s",
        "recovery_time": "< 5s",
        "lost_payments": 0,
        "double_charges": 0,
        "orphan_captures": 0,
        "amount_mismatches": 0,
        "unresolved_unknowns": 0,
    },
    "outage": {"uptime": ">= 99.9%", "recovery_time": "< 25s", "lost_payments": 0, "double_charges": 0},
    "steady": {"uptime": ">= 99.9%", "success_rate": ">= 99%", "latency_p99": "< 2s", "lost_payments": 0},
}


@dataclass(frozen=True, slots=True)
class Planned:
    """The payments as planned, in due order."""

    ids: list[str]
    due_ns: np.ndarray[Any, np.dtype[np.int64]]
    amount_minor: np.ndarray[Any, np.dtype[np.int64]]
    currency: np.ndarray[Any, np.dtype[np.int64]]
    """Index into ``CURRENCIES``."""
    wallet: np.ndarray[Any, np.dtype[np.bool_]]
    declined: np.ndarray[Any, np.dtype[np.bool_]]


def scenario(
    kind: Kind,
    *,
    rate: float,
    hold_s: int,
    outage: tuple[int, int],
    seed: int,
    objectives: Mapping[str, Any] | None,
) -> Scenario:
    """The scenario that the synthetic run pretends to have played."""
    dark = {"failover": ["stripe"], "outage": ["stripe", "adyen"], "steady": []}[kind]
    return Scenario.model_validate(
        {
            "name": f"synthetic-{kind}",
            "about": {
                "failover": "Stripe goes dark at peak; card payments must move to Adyen and back.",
                "outage": "Both card gateways go dark: nothing can be approved.",
                "steady": "Nothing happens: what healthy looks like.",
            }[kind],
            "seed": seed,
            "gateways": {
                "stripe": {"latency": {"p50": "120ms", "p99": "600ms"}, "weight": 60},
                "adyen": {"latency": {"p50": "90ms", "p99": "400ms"}, "weight": 40},
            },
            "load": {
                "arrivals": [
                    {"name": "quiet", "duration": "10s", "rate": f"{rate / 8:f}/s"},
                    {"name": "ramp", "duration": "20s", "rate": f"{rate / 8:f}/s..{rate:f}/s"},
                    {"name": "peak", "duration": f"{hold_s}s", "rate": f"{rate:f}/s"},
                ],
                "mix": {"card": "85%", "wallet": "15%"},
            },
            "faults": [
                {"at": f"{outage[0]}s", "for": f"{outage[1] - outage[0]}s", "on": name, "fault": "outage"}
                for name in dark
            ],
            "probes": [
                {"probe": "payment", "every": "1s"},
                {"probe": "http", "on": "stripe", "every": "1s", "recheck": "100ms"},
                {"probe": "http", "on": "adyen", "every": "1s", "recheck": "100ms"},
            ],
            "objectives": OBJECTIVES[kind] if objectives is None else dict(objectives),
        }
    )


def write_run(
    folder: Path,
    *,
    payments: int | None = None,
    seed: int = 7,
    rate: float = 400,
    outage: tuple[int, int] = (40, 60),
    kind: Kind = "failover",
    plant: Sequence[Defect] = (),
    objectives: Mapping[str, Any] | None = None,
) -> Path:
    """Write a run folder: ``scenario.yaml`` and the journal.

    Args:
        folder: Made here; must not exist yet.
        payments: About how many. The peak lasts longer for more; the rate is lower for fewer than the
            shortest shape holds. By default what the shape gives: 10 s at rate/8, 20 s of ramp, 60 s at rate.
        seed: Decides every draw.
        rate: Payments due per second at the peak.
        outage: Planned start and stop of the fault, in seconds.
        kind: What happens.
        plant: Defects to put in, each once (or as often as it takes to matter).
        objectives: Instead of those that belong to the kind; keys as in a scenario.

    Returns:
        ``folder``.
    """
    hold_s = 60
    if payments is not None:
        rate = min(rate, payments / 72.5)
        hold_s = round((payments - 12.5 * rate) / rate)
    played = scenario(kind, rate=rate, hold_s=hold_s, outage=outage, seed=seed, objectives=objectives)
    rng = np.random.default_rng(seed)
    planned = _plan(rng, rate, hold_s)
    journal = folder / "journal"
    journal.mkdir(parents=True)
    dark = tuple(fault.on for fault in played.faults)
    # The injecting process is a little late, as in life: 0.4 ms and 0.7 ms.
    window = (outage[0] * _S + 400_000, outage[1] * _S + 700_000)
    gateways = Gateways(("stripe", "adyen"), (0.6, 0.4), (120 * _MS, 90 * _MS), (600 * _MS, 400 * _MS))
    events = play(rng, planned, gateways, dark, window, played.load.timeout)
    hits = write_money(journal, planned, events, gateways, frozenset(plant), write_table)
    write_watch(journal, rng, played, window, dark, hits, planned.due_ns, frozenset(plant), write_table)
    if "damaged" in plant:
        _cut(journal / "stripe.movement.arrow")
    block = {
        "id": "synth0",
        "started_at": "2026-11-22T05:40:01.123456Z",
        "epoch_ns": 123_456_789,
        "payments_planned": len(planned.ids),
        "plan_digest": hashlib.sha256(planned.due_ns.tobytes() + planned.amount_minor.tobytes()).hexdigest(),
        "processes": 1,
        "versions": {"paydrill": "0.1.0", "python": "3.11.7", "locust": "2.47.0"},
        "machine": {"cores": 2, "memory_gib": 24, "system": "Linux 6.1"},
        "command": f"python -m benchmarks.synthetic_run --kind {kind}",
    }
    text = yaml.safe_dump(played.to_plain() | {"run": block}, sort_keys=False, allow_unicode=True)
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    return folder


def write_table(path: Path, columns: Mapping[str, Any], batch: int = 2000) -> None:
    """Write one journal file in batches, as the journal's own writer leaves it."""
    table = path.name.split(".")[-2]
    wanted = schema(table)
    whole = pa.table([pa.array(columns[field.name], type=field.type) for field in wanted], schema=wanted)
    with path.open("xb") as file, pa.ipc.new_stream(file, wanted) as stream:
        for part in whole.to_batches(max_chunksize=batch):
            stream.write_batch(part)


def _plan(rng: np.random.Generator, rate: float, hold_s: int) -> Planned:
    """Poisson arrivals by time rescaling: unit exponentials, mapped through the inverse of the integral of
    the rate."""
    quiet, ramp, total = rate / 8 * 10, (rate / 8 + rate) / 2 * 20, rate * (72.5 - 60 + hold_s)
    marks = np.cumsum(rng.exponential(size=int(total + 8 * total**0.5) + 50))
    marks = marks[marks < total]
    # In the ramp: rate/8 t + (7/8 rate / 20) t^2 / 2 = arrivals since its start.
    slope = rate * 7 / 8 / 20
    since = np.clip(marks - quiet, 0, ramp)
    in_ramp = 10 + 2 * since / (rate / 8 + np.sqrt((rate / 8) ** 2 + 2 * slope * since))
    seconds = np.where(
        marks < quiet,
        marks / (rate / 8),
        np.where(marks < quiet + ramp, in_ramp, 30 + (marks - quiet - ramp) / rate),
    )
    count = len(marks)
    return Planned(
        ids=[f"synth0-{number:07d}" for number in range(count)],
        due_ns=np.minimum((seconds * _S).astype(np.int64), (30 + hold_s) * _S - 1),
        amount_minor=np.maximum(100, rng.lognormal(8.0, 0.8, count)).astype(np.int64),
        currency=rng.choice(3, size=count, p=[0.6, 0.25, 0.15]).astype(np.int64),
        wallet=rng.random(count) < 0.15,
        declined=rng.random(count) < 0.04,
    )


def _cut(path: Path) -> None:
    """Cut a journal file in the middle of its last batch."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 700])


def main() -> None:
    """The command line; see the module's own text."""
    parser = argparse.ArgumentParser(description="Write a synthetic run folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--payments", type=int)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=400)
    parser.add_argument("--outage", type=int, nargs=2, default=(40, 60), metavar=("START_S", "STOP_S"))
    parser.add_argument("--kind", choices=typing.get_args(Kind), default="failover")
    parser.add_argument("--plant", nargs="*", choices=typing.get_args(Defect), default=())
    asked = parser.parse_args()
    print(
        write_run(
            asked.folder,
            payments=asked.payments,
            seed=asked.seed,
            rate=asked.rate,
            outage=tuple(asked.outage),
            kind=asked.kind,
            plant=asked.plant,
        )
    )


if __name__ == "__main__":
    main()
