"""A platform that runs already is drilled through gateways on their known ports."""

import time
from pathlib import Path

from paydrill import plans
from paydrill.child import Child, end_all
from scenarios.reading import parse
from tests.drills.drill import SHORT, play


def test_a_running_platform_is_drilled_and_its_money_checked(tmp_path: Path) -> None:
    scenario = parse(SHORT, "short.yaml")
    platform = Child("platform", ["-m", "mocks.process"], tmp_path / "platform.log")
    try:
        gateways = {"stripe": "http://127.0.0.1:12111", "adyen": "http://127.0.0.1:12113"}
        platform.plan(plans.platform(scenario, gateways, tmp_path / "platform.sqlite", None))
        port = platform.ready()["port"]
        platform.go({"epoch_ns": time.monotonic_ns()})
        drill, code, output = play(tmp_path, SHORT, ["--target", f"http://127.0.0.1:{port}"])
    finally:
        end_all([platform], grace=5)
    assert code == 0, output
    assert drill.status("lost_payments") == drill.status("double_charges") == "PASS"
    assert drill.verdict["generator"]["sent"] > 200
