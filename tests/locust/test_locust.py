"""The locustfile under plain Locust: headless, with forked workers, and in the web UI."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from journal.reader import Journal
from tests.paydrill.test_command import ROOT, free_ports

SETTINGS = [
    "--scenario", "steady_state",
    "--set", "load.arrivals=[{duration: 3s, rate: 60/s}]",
    "--set", "objectives={}",
]  # fmt: skip


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


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--scenario", "nope"], "no scenario of that name"),
        (["--host", "https://pay.example.test"], "pay.example.test is not this machine, and not allowed"),
    ],
)
def test_what_cannot_be_played_ends_with_2(platform: str, options: list[str], told: str) -> None:
    done = subprocess.run(
        [*locust("--headless", "--host", platform), *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert told in done.stderr + done.stdout


def test_the_web_ui_starts_stops_and_starts_again(platform: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    command = locust("--host", platform, "--web-host", "127.0.0.1", "--web-port", str(port))
    journals = tmp_path / "journals"
    with subprocess.Popen(
        [*command, "--journal", str(journals)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5, trust_env=False) as web:
                page = _get(web, "/")
                assert "steady_state" in page  # the scenario can be chosen there
                assert "the number of users and the ramp up change nothing" in page
                assert "no scenario of that name" in _refused(web, scenario="nope")
                assert "must be a whole number" in _refused(web, paydrill_seed="x")
                assert "is not this machine" in _refused(web, host="https://pay.example.test")
                counts = []
                for _ in range(2):
                    swarm = web.post(
                        "/swarm", data={"user_count": 1, "spawn_rate": 1, "scenario": "steady_state"}
                    )
                    assert swarm.json()["success"], swarm.text
                    _until_running(web)
                    assert "goes on as it was planned" in _refused(web, user_count="5")
                    counts.append(_until_stopped(web))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
    assert counts[0] == counts[1] > 100
    assert [Journal(run).table("payment").num_rows for run in journals.iterdir()] == counts


def _get(web: httpx.Client, path: str) -> str:
    for _ in range(100):
        try:
            return web.get(path).text
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the web UI did not come up")


def _refused(web: httpx.Client, **changed: str) -> str:
    """Why the web UI does not start what a form asks for."""
    answer = web.post("/swarm", data={"user_count": "1", "spawn_rate": "1", **changed}).json()
    assert not answer["success"]
    return str(answer["message"])


def _until_running(web: httpx.Client) -> None:
    """Until a payment was counted."""
    for _ in range(200):
        stats = web.get("/stats/requests").json()
        if stats["state"] == "running" and stats["stats"][-1]["num_requests"]:
            return
        time.sleep(0.1)
    raise AssertionError("the run did not begin")


def _until_stopped(web: httpx.Client) -> int:
    """Wait for the end of the plan; the number of payments that Locust's own statistics count."""
    for _ in range(200):
        stats = web.get("/stats/requests").json()
        total = next(row for row in stats["stats"] if row["name"] == "Aggregated")
        # Told anything else, the page would not ask again, and would miss the last payments.
        assert stats["state"] in ("spawning", "running", "stopped")
        if stats["state"] == "stopped" and total["num_requests"]:
            assert total["num_failures"] == 0
            return int(total["num_requests"])
        time.sleep(0.1)
    raise AssertionError("the run did not stop by itself")
