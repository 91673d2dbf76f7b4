"""The gateways' official Node SDKs as clients of the mocks: what ``node --test`` says, test by test.

``make node-sdks`` installs the SDKs from ``package-lock.json``. Each file ``<gateway>.test.mjs`` is run once;
the tests in it start their mocks themselves, as child processes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
GATEWAYS = ("stripe", "paypal", "adyen", "gocardless")
LIMIT_S = 300


def names(gateway: str) -> list[str]:
    """The tests that a file holds, as they are written in it."""
    text = (HERE / f"{gateway}.test.mjs").read_text()
    return re.findall(r'^test\("([^"]+)"', text, re.MULTILINE)


@cache
def results(gateway: str) -> dict[str, str]:
    """Name of a test -> what went wrong, empty for a test that passed; of one run of the file."""
    if not (HERE / "node_modules").is_dir():
        pytest.fail("the Node SDKs are not installed: make node-sdks")
    command = ["node", "--test", "--test-reporter=junit", f"{gateway}.test.mjs"]
    environment = {
        **{name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"},
        "PAYDRILL_PYTHON": sys.executable,
    }
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    ends: dict[str, str] = {}
    for case in ElementTree.fromstring(done.stdout).iter("testcase"):
        bad = [end for kind in ("failure", "error", "skipped") for end in case.iter(kind)]
        ends[case.attrib["name"]] = "".join(f"{end.get('message', end.tag)}\n{end.text or ''}" for end in bad)
    if done.returncode and not any(ends.values()):
        ends[f"{gateway}.test.mjs"] = f"node ended with {done.returncode}: {done.stdout}{done.stderr}"
    return ends


@pytest.mark.parametrize(
    ("gateway", "name"), [(gateway, name) for gateway in GATEWAYS for name in names(gateway)]
)
def test_sdk(gateway: str, name: str) -> None:
    end = results(gateway).get(name, "node did not run it")
    if end:
        pytest.fail(end, pytrace=False)


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_node_ran_these_tests_and_nothing_else_went_wrong(gateway: str) -> None:
    assert len(names(gateway)) >= 10
    assert sorted(results(gateway)) == sorted(names(gateway)), results(gateway)
