"""``chaos run`` with the example experiment, against mocks that run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from paydrill.admin_client import AdminClient
from tests.paydrill.commands import mocking

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXPERIMENT = ROOT / "docs" / "chaos-experiment.json"
SERVERS = ("stripe:0", "adyen:0", "platform:0")
CHAOS = HERE / "venv" / "bin" / "chaos"


def chaos(
    experiment: Path, urls: dict[str, str], folder: Path, **environment: str
) -> tuple[int, dict[str, Any]]:
    """The exit code of ``chaos run``, and the journal that it wrote."""
    if not CHAOS.exists():
        pytest.fail("the Chaos Toolkit is not installed: make chaos-toolkit")
    journal = folder / "journal.json"
    command = [str(CHAOS), "--no-version-check", "--log-file", str(folder / "log"), "run"]
    done = subprocess.run(
        [*command, "--journal-path", str(journal), str(experiment)],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PAYDRILL_ADMIN": f"{urls['stripe-admin']},{urls['adyen-admin']}",
            "PAYDRILL_PLATFORM": urls["platform"],
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert journal.exists(), done.stdout + done.stderr
    written: dict[str, Any] = json.loads(journal.read_text())
    return done.returncode, written


def test_the_example_runs_as_it_stands(tmp_path: Path) -> None:
    with mocking(*SERVERS, latency="5ms,20ms") as urls:
        code, journal = chaos(EXPERIMENT, urls, tmp_path)
        assert (code, journal["status"], journal["deviated"]) == (0, "completed", False), journal
        outage, rate = journal["run"]
        assert (outage["status"], outage["output"]["id"], outage["output"]["active"]) == (
            "succeeded",
            "stripe-1",
            True,
        )
        assert rate["output"] >= 0.98
        # The fault has ended by itself, so there was nothing left to clear.
        assert [rollback["output"] for rollback in journal["rollbacks"]] == [[]]
        captures = {
            name: sum(row["kind"] == "capture" for row in AdminClient(urls[f"{name}-admin"]).movements())
            for name in ("stripe", "adyen")
        }
        # 150 payments in three rounds; the round without Stripe was Adyen's, and Stripe had some before.
        assert sum(captures.values()) == 150 and captures["adyen"] >= 50 and captures["stripe"] > 0


def test_where_nothing_holds_it_says_so_and_the_rollback_restores_health(tmp_path: Path) -> None:
    experiment = json.loads(EXPERIMENT.read_text())
    experiment["secrets"] = {"paydrill": {"admin_token": {"type": "env", "key": "PAYDRILL_ADMIN_TOKEN"}}}
    probes = experiment["steady-state-hypothesis"]["probes"]
    probes[:] = [probe for probe in probes if probe["name"] == "payments-succeed"]
    (action, _), (rollback,) = experiment["method"], experiment["rollbacks"]
    del action["pauses"]
    action["provider"]["secrets"] = rollback["provider"]["secrets"] = ["paydrill"]
    arguments = {"fault": "outage", "lasts": "2min"}
    experiment["method"] = [
        {
            **action,
            "name": target,
            "provider": {**action["provider"], "arguments": {**arguments, "target": target}},
        }
        for target in ("stripe", "adyen")
    ]
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps(experiment))
    token = {"PAYDRILL_ADMIN_TOKEN": "open sesame"}
    with mocking(*SERVERS, latency="5ms,20ms", environment=token) as urls:
        code, journal = chaos(path, urls, tmp_path, **token)
        assert (code, journal["deviated"]) == (1, True), journal
        states = journal["steady_states"]
        assert (states["before"]["steady_state_met"], states["after"]["steady_state_met"]) == (True, False)
        assert [run["status"] for run in journal["run"]] == ["succeeded", "succeeded"]
        assert sorted(journal["rollbacks"][0]["output"]) == ["adyen-1", "stripe-1"]
        for name in ("stripe-admin", "adyen-admin"):
            assert AdminClient(urls[name], "open sesame").faults()["faults"] == []
