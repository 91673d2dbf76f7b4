"""Locust's web UI in a real browser: what is started, changed and stopped there, and whether what the page
shows is what the journal holds."""

import contextlib
import datetime
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from journal.reader import Journal
from scenarios.checkout import plan
from scenarios.reading import load_scenario
from tests.locust.browser import CHROMIUM, Page, browse
from tests.paydrill.test_command import ROOT, free_ports

pytestmark = pytest.mark.slow

SCENARIO = """
name: two-rates
gateways: {stripe: {}}
load:
  arrivals:
    - {duration: 14s, rate: 20/s}
    - {duration: 16s, rate: 60/s}
  spacing: even
  # Some of them take longer: a time-out has no latency, and has to be counted all the same.
  timeout: 60ms
"""
STATE = """(() => {
  const root = document.getElementById('root');
  const left = [root[Object.keys(root).find(key => key.startsWith('__reactContainer'))]];
  while (left.length) {
    const node = left.pop();
    if (!node) continue;
    if (node.memoizedProps?.store?.getState) return node.memoizedProps.store.getState();
    left.push(node.sibling, node.child);
  }
})()"""
"""What the page's tables and charts are drawn from."""

REQUESTS = STATE + ".ui.stats.find(row => row.name === 'Aggregated').numRequests"
HISTORY = {
    "currentRps": "current_rps",
    "responseTimePercentile0.5": "response_time_percentile_0.5",
    "userCount": "user_count",
}
"""The page's charts, and what they are called in the history of Locust's statistics."""

ROW = """(() => {
  const heads = [...document.querySelectorAll('thead th')].map(cell => cell.innerText.replace(/\\s+/g, ' '));
  const row = [...document.querySelectorAll('tbody tr')].find(row => row.innerText.includes('Aggregated'));
  return row && Object.fromEntries([...row.cells].map((cell, at) => [heads[at], cell.innerText]));
})()"""
"""The page's table, as it is shown."""


@contextlib.contextmanager
def web_ui(*options: str) -> Iterator[str]:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py")]
    where = ["--web-host", "127.0.0.1", "--web-port", str(port)]
    with subprocess.Popen(
        [*command, *where, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            transport = httpx.HTTPTransport(retries=12)
            with httpx.Client(transport=transport, trust_env=False) as client:
                assert client.get(url).status_code == 200
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.timeout(240)
def test_a_run_is_started_and_stopped_in_the_page_and_its_figures_are_the_journals(
    platform: str, tmp_path: Path
) -> None:
    scenario = tmp_path / "two_rates.yaml"
    scenario.write_text(SCENARIO)
    journals = tmp_path / "journals"
    profile = tmp_path / "profile"
    profile.mkdir()
    with (
        web_ui("--host", platform, "--journal", str(journals)) as url,
        browse(profile) as page,
    ):
        page.open(url)
        assert "the number of users and the ramp up change nothing" in page.text()
        page.click("Custom parameters")
        page.fill("scenario", "nope")
        page.click("start")
        page.wait_for("document.body.innerText.includes('no scenario of that name')")
        assert page.evaluate(STATE + ".swarm.state") == "ready"
        assert not journals.exists()

        start(page, scenario, "7")
        page.wait_for(STATE + ".swarm.state === 'running'")
        page.wait_for(f"{REQUESTS} > 100")
        change_users(page, "5")
        page.wait_for(STATE + ".swarm.state === 'stopped'", within_s=60)
        shown = figures(page)
        charts = page.evaluate(STATE + ".ui.charts")
        (first,) = journals.iterdir()
        payments = Journal(first).table("payment").to_pylist()

        planned = list(plan(load_scenario(str(scenario), ["seed=7"])))
        assert len(planned) == 14 * 20 + 16 * 60
        assert sorted((p["due_ns"], p["amount_minor"], p["currency"], p["instrument"]) for p in payments) == [
            (p.due_ns, p.amount_minor, p.currency, p.instrument) for p in planned
        ]
        compare(shown, payments)
        rates = [value for _, value in charts["currentRps"]]
        assert 57 <= max(rates) <= 63, rates
        assert any(18 <= rate <= 22 for rate in rates), rates
        page.open(url)
        history = page.evaluate("window.templateArgs.history")
        assert len(history) >= 5
        for chart, sampled in HISTORY.items():
            agree(charts[chart], [entry[sampled] for entry in history])

        page.click("new")
        page.click("Custom parameters")
        start(page, scenario, "8")
        page.wait_for(STATE + ".swarm.state === 'running'")
        page.wait_for(f"{REQUESTS} > 60 && {REQUESTS} < 500")
        page.click("stop")
        page.wait_for(STATE + ".swarm.state === 'stopped'")
        shown = figures(page)
        (second,) = set(journals.iterdir()) - {first}
        stopped = Journal(second).table("payment").to_pylist()
        assert len(stopped) < len(planned)
        compare(shown, stopped)
        assert Journal(first).table("payment").num_rows == len(planned)


def start(page: Page, scenario: Path, seed: str) -> None:
    page.fill("scenario", str(scenario))
    page.fill("paydrillSeed", seed)
    page.click("start")


def change_users(page: Page, users: str) -> None:
    """What the form for a change asks for is refused; the page's note and its log say why."""
    page.click("edit")
    page.fill("userCount", users)
    page.click("update")
    page.wait_for("!document.querySelector('input[name=userCount]')")
    page.click("logs")
    page.wait_for("document.body.innerText.includes('The run goes on as it was planned')")
    page.click("statistics")


def figures(page: Page) -> Mapping[str, str]:
    """The table's last row, by its columns, as it stands there when the page has asked for the last time."""
    page.wait_for(f"{ROW}?.['# Requests'] === String({REQUESTS})")
    return dict(page.evaluate(ROW))


def compare(shown: Mapping[str, str], payments: list[dict[str, Any]]) -> None:
    assert int(shown["# Requests"]) == len(payments)
    assert int(shown["# Fails"]) == sum(p["error"] != "" for p in payments)
    took = sorted((p["done_ns"] - p["due_ns"]) / 1e6 for p in payments if p["done_ns"] is not None)
    assert took
    for name, share in (("Median (ms)", 0.5), ("95%ile (ms)", 0.95), ("99%ile (ms)", 0.99)):
        # Locust's ranks are off by one at most; it keeps whole milliseconds, and two digits above 100.
        at = int(share * len(took))
        low, high = took[max(at - 2, 0)], took[min(at + 2, len(took) - 1)]
        assert low * 0.95 - 1 <= float(shown[name]) <= high * 1.05 + 1, (name, shown[name], low, high)
    assert abs(float(shown["Min (ms)"]) - took[0]) <= 1
    assert abs(float(shown["Max (ms)"]) - took[-1]) <= 1


def agree(series: list[Any], history: list[Any]) -> None:
    """Every sample of Locust's history lies within what the page's chart showed around that time."""
    points = [(moment, value) for moment, value in series if value is not None]
    for moment, value in history:
        near = [v for at, v in points if abs(stamp(at) - stamp(moment)) <= 6]
        if near and value is not None:
            assert min(near) - 1 <= value <= max(near) + 1, (moment, value, near)


def stamp(moment: str) -> float:
    return datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
