"""A drill with sandboxes as a user plays it: keys from the environment, faults in front, truth from the
records."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from journal.reader import Journal
from tests.sandboxes.standin import certificates, standing_in
from tests.sandboxes.test_keys import ENVIRONMENT

TEXT = """\
name: box
gateways:
  stripe: {{sandbox: {{address: "127.0.0.1:{stripe}", ca: "{ca}"}}}}
  adyen: {{sandbox: {{address: "127.0.0.1:{adyen}", ca: "{ca}"}}}}
  gocardless: {{sandbox: {{address: "127.0.0.1:{gocardless}", ca: "{ca}"}}}}
load:
  mix: {{card: 80%, bank: 20%}}
  currencies: {{EUR: 100%}}
  arrivals: [{{duration: 4s, rate: 8/s}}]
faults:
  - {{at: 1s, for: 1s, on: adyen, fault: commit_then_lose}}
objectives: {{lost_payments: 0, double_charges: 0, orphan_captures: 0, amount_mismatches: 0}}
settle: 5s
"""


def paydrill(
    *arguments: str, environment: dict[str, str], timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    return subprocess.run(
        [sys.executable, "-m", "paydrill", *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_keys_are_asked_for_before_anything_starts(tmp_path: Path) -> None:
    scenario = tmp_path / "box.yaml"
    scenario.write_text(TEXT.format(stripe=9, adyen=9, gocardless=9, ca="ca.pem"))
    live = {"PAYDRILL_STRIPE_KEY": "sk_live_51Habc", "PAYDRILL_ADYEN_KEY": "AQE1"}
    out = tmp_path / "runs"
    ended = paydrill("run", str(scenario), "--out", str(out), environment=live)
    assert ended.returncode == 2
    assert "PAYDRILL_STRIPE_KEY holds no test key" in ended.stderr
    for variable in ("PAYDRILL_ADYEN_MERCHANT", "PAYDRILL_GOCARDLESS_TOKEN"):
        assert f"{variable} is not set" in ended.stderr
    assert "51Habc" not in ended.stdout + ended.stderr
    assert not out.exists(), "something was started"


@pytest.mark.slow
def test_a_drill_against_sandboxes(tmp_path: Path) -> None:
    files = certificates(tmp_path)
    out = tmp_path / "runs"
    with (
        standing_in("stripe", files) as stripe,
        standing_in("adyen", files) as adyen,
        standing_in("gocardless", files) as gocardless,
    ):
        ports = {"stripe": stripe.port, "adyen": adyen.port, "gocardless": gocardless.port}
        scenario = tmp_path / "box.yaml"
        scenario.write_text(TEXT.format(**ports, ca=files.authority))
        ended = paydrill("run", str(scenario), "--out", str(out), environment=ENVIRONMENT)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        truth = {
            (row.gateway, row.kind, row.reference, row.order_id, row.amount_minor)
            for running in (stripe, adyen, gocardless)
            for row in running.movements
            if row.kind == "capture"
        }
    (folder,) = out.iterdir()
    rows = Journal(folder / "journal").table("movement").to_pylist()
    known = {
        (row["gateway"], row["kind"], row["reference"], row["order_id"], row["amount_minor"])
        for row in rows
        if row["kind"] == "capture"
    }
    # A debit may be confirmed after the records were read.
    assert known <= truth and {row for row in truth if row[0] != "gocardless"} <= known
    assert {row[0] for row in known} >= {"stripe", "adyen"}
    events = Journal(folder / "journal").table("fault").to_pylist()
    assert max(event["hits"] for event in events) > 0
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(key.encode() in content for key in ENVIRONMENT.values()), f"{path} holds a key"
