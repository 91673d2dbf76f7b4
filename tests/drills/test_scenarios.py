"""The scenarios that come with it end as their headers promise."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from scenarios.reading import names
from tests.drills.promise import promise_of

pytestmark = pytest.mark.slow

MS = 1_000_000

Played = Callable[[str], dict[str, Any]]


def play(name: str, out: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "paydrill", "run", name, "--out", str(out), "--quiet", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    (folder,) = out.glob("*Z-*")
    return done.returncode, json.loads((folder / "verdict.json").read_text())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Plays a scenario, once for all tests, and returns its verdict."""

    @cache
    def verdict(name: str) -> dict[str, Any]:
        code, found = play(name, tmp_path_factory.mktemp(name))
        assert code == found["verdict"]["exit_code"]
        return found

    return verdict


def objective(verdict: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(o for o in verdict["objectives"] if o["name"] == name)
    return found


@pytest.mark.parametrize("name", names())
def test_the_verdict_is_the_one_that_the_header_promises(name: str, played: Played) -> None:
    verdict = played(name)
    status, broken = promise_of(name)
    assert verdict["verdict"]["status"] == status, verdict["verdict"]
    by_status = {o["name"]: o["status"] for o in verdict["objectives"]}
    assert by_status == {name: "FAIL" if name in broken else "PASS" for name in by_status}
    assert not verdict["damage"]
    for fault in verdict["faults"]:
        assert fault["hits"] > 0 and fault["true_stop_ns"] is not None


def test_the_figures_of_a_failover_are_true(played: Played) -> None:
    (fault,) = played("gateway_failover")["faults"]
    for name in ("detection", "failover", "recovery", "failback"):
        figure = fault[name]
        assert figure["state"] == figure["true_state"] == "measured"
    for name in ("failover", "recovery"):
        assert abs(fault[name]["measured_ns"] - fault[name]["true_ns"]) < 250 * MS
    assert fault["in_flight"]["unknown"] > 0


def test_an_outage_of_both_gateways_tells_its_recovery_time(played: Played) -> None:
    assert objective(played("gateway_outage"), "recovery_time")["value"] > 9_500 * MS


def test_debits_are_settled_and_every_method_was_paid_by(played: Played) -> None:
    verdict = played("payment_methods")
    settlement = verdict["money"]["settlement"]
    assert settlement["accepted"] > 100 and settlement["open"] == 0
    assert settlement["settled"] > settlement["refused"] > 0
    by_method = {row["name"]: row for row in verdict["success"] if row["scope"] == "method"}
    assert set(by_method) == {"card", "apple_pay", "google_pay", "paypal", "bank"}


def test_a_brownout_moves_nothing_and_no_probe_sees_it(played: Played) -> None:
    (fault,) = played("brownout")["faults"]
    assert fault["detection"]["state"] == "never"
    assert fault["within"]["succeeded"] == fault["within"]["n"]
    assert fault["within"]["slow"] > 500


def test_a_flapping_gateway_is_followed_both_ways(played: Played) -> None:
    (fault,) = played("flapping_gateway")["faults"]
    assert [round((stop - start) / 1e9, 1) for start, stop in fault["spells"]] == [2.0] * 5


def test_a_gray_failure_is_not_seen_by_the_probe_of_health(played: Played) -> None:
    verdict = played("gray_failure")
    health = next(p for p in verdict["availability"]["probes"] if p["target"] == "stripe")
    assert health["failed"] == 0 and health["ok"] > 30
    assert verdict["faults"][0]["failover"]["state"] == "measured"


def test_answers_were_lost_in_each_of_three_ways_though_the_money_had_moved(played: Played) -> None:
    verdict = played("commit_then_lose")
    assert len(verdict["faults"]) == 3
    assert min(fault["hits"] for fault in verdict["faults"]) > 50


def test_a_decline_storm_opens_no_breaker(played: Played) -> None:
    verdict = played("decline_storm")
    assert not any(row["name"] == "(none)" for row in verdict["success"])
    assert verdict["faults"][0]["within"]["failed"] > 100


def test_a_killed_platform_comes_back_with_what_it_had(played: Played) -> None:
    verdict = played("platform_killed")
    (fault,) = verdict["faults"]
    assert fault["on"] == "platform" and fault["in_flight"]["n"] > 0
    assert objective(verdict, "recovery_time")["value"] > 900 * MS


def test_in_a_cascade_the_refuge_breaks_down(played: Played) -> None:
    verdict = played("cascading")
    (fault,) = verdict["faults"]
    assert fault["failover"]["state"] == "measured"
    assert fault["recovery"]["measured_ns"] > 10_000 * MS
    adyen = next(r for r in verdict["latency"] if (r["scope"], r["name"]) == ("gateway", "adyen"))
    assert next(p for p in adyen["percentiles"] if p["q"] == 0.95)["value_ns"] > 1_000 * MS


def test_the_number_of_workers_does_not_change_the_plan(tmp_path: Path) -> None:
    settings = ("--set", "load.arrivals.0.duration=8s", "--set", "load.arrivals.0.rate=80/s")
    _, one = play("steady_state", tmp_path / "one", *settings)
    _, two = play("steady_state", tmp_path / "two", *settings, "--processes", "2")
    assert one["run"]["plan_digest"] == two["run"]["plan_digest"]
    from journal.reader import Journal

    def dues(folder: Path) -> list[tuple[str, int, int, str]]:
        (run,) = folder.glob("*Z-*")
        rows = Journal(run / "journal").table("payment").to_pylist()
        return sorted((r["id"].split("-")[1], r["due_ns"], r["amount_minor"], r["instrument"]) for r in rows)

    assert dues(tmp_path / "one") == dues(tmp_path / "two") != []
