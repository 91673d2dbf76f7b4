"""The locustfile under plain Locust: headless, with forked workers, and in the web UI."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from journal.reader import Journal
from tests.paydrill.commands import mocking
from tests.paydrill.test_command import ROOT, free_ports

SETTINGS = [
    "--scenario", "steady_state",
    "--set", "load.arrivals=[{duration: 3s, rate: 60/s}]",
    "--set", "objectives={}",
]  # fmt: skip


@pytest.fixture(scope="module")
def platform() -> Iterator[str]:
    servers = [
        f"{name}:{port}" for name, port in zip(("stripe", "adyen", "platform"), free_ports(3), strict=True)
    ]
    with mocking(*servers, latency="10ms,40ms", admin=False) as urls:
        yield urls["platform"]


def locust(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), *SETTINGS, *arguments]


def headless(platform: str, journal: Path, *arguments: str) -> list[tuple[str, int, int, str, str]]:
    journal.mkdir()
    done = subprocess.run(
        locust("--headless", "--host", platform, "--journal", str(journal), *arguments),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = Journal(journal).table("payment").to_pylist()
    return sorted(
        (r["id"].split("-")[1], r["due_ns"], r["amount_minor"], r["instrument"], r["error"]) for r in rows
    )


def test_headless_plays_the_same_plan_with_any_number_of_workers(platform: str, tmp_path: Path) -> None:
    one = headless(platform, tmp_path / "one")
    two = headless(platform, tmp_path / "two", "--processes", "2")
    assert len(one) > 100
    assert {row[-1] for row in one} == {""}
    assert one == two
    assert len(list((tmp_path / "two").glob("load-?.payment.arrow"))) == 2


def test_a_scenario_that_does_not_exist_ends_with_2(platform: str) -> None:
    done = subprocess.run(
        [*locust("--headless", "--host", platform), "--scenario", "nope"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "no scenario of that name" in done.stderr + done.stdout


def test_the_web_ui_starts_stops_and_starts_again(platform: str) -> None:
    (port,) = free_ports(1)
    command = locust("--host", platform, "--web-host", "127.0.0.1", "--web-port", str(port))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5, trust_env=False) as web:
                assert "steady_state" in _get(web, "/")  # the scenario can be chosen there
                counts = []
                for _ in range(2):
                    swarm = web.post(
                        "/swarm", data={"user_count": 1, "spawn_rate": 1, "scenario": "steady_state"}
                    )
                    assert swarm.json()["success"], swarm.text
                    counts.append(_until_stopped(web))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
    assert counts[0] == counts[1] > 100


def _get(web: httpx.Client, path: str) -> str:
    for _ in range(100):
        try:
            return web.get(path).text
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the web UI did not come up")


def _until_stopped(web: httpx.Client) -> int:
    """Wait for the end of the plan; the number of payments that Locust's own statistics count."""
    for _ in range(200):
        stats = web.get("/stats/requests").json()
        total = next(row for row in stats["stats"] if row["name"] == "Aggregated")
        if stats["state"] == "stopped" and total["num_requests"]:
            assert total["num_failures"] == 0
            return int(total["num_requests"])
        time.sleep(0.1)
    raise AssertionError("the run did not stop by itself")
