"""``paydrill fault`` on mocks that run as processes of their own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from typer.testing import CliRunner, Result

import paydrill.fault
from mocks.exchange import Exchange
from mocks.faults import FAULTS
from paydrill.__main__ import app
from paydrill.admin_client import AdminClient, UnreachableError, running
from paydrill.fault_table import time_left, touches
from tests.mocks.serving import Serving
from tests.paydrill.commands import mocking

Urls = dict[str, str]


@pytest.fixture(scope="module")
def mocks() -> Iterator[Urls]:
    with mocking("stripe:0", "adyen:0", latency="1ms,2ms") as urls:
        yield urls


@pytest.fixture
def urls(mocks: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Urls]:
    """The mocks' URLs; the command looks for them where they are, instead of on the usual ports."""
    ports = tuple(urlsplit(mocks[name]).port for name in ("stripe-admin", "adyen-admin"))
    monkeypatch.setattr(paydrill.fault, "PORTS", ports)
    yield mocks
    for name in ("stripe-admin", "adyen-admin"):
        AdminClient(mocks[name]).clear()


def fault(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["fault", *arguments])


def health(url: str) -> int:
    """The status, 0 when the connection is refused."""
    try:
        return httpx.get(f"{url}/health", verify=False).status_code
    except httpx.ConnectError:
        return 0


def test_an_outage_from_its_start_to_its_clearing(urls: Urls) -> None:
    done = fault("add", "stripe", "outage", "--for", "30s")
    assert done.exit_code == 0, done.output
    id = done.output.split()[0]
    assert done.output == f"{id} is on, for 30s; to end it: paydrill fault clear {id}\n"
    assert (health(urls["stripe"]), health(urls["adyen"])) == (0, 200)
    rows = fault("list").output.splitlines()
    (row,) = [row.split() for row in rows if id in row]
    assert row[:5] == [id, "stripe", "outage", "all", "requests"]
    assert 20 < float(row[5].removesuffix("s")) <= 30 and row[6] == "0"
    assert fault("clear", id).output == f"cleared {id}\n"
    assert health(urls["stripe"]) == 200
    assert fault("list").output == "no fault is on stripe, adyen\n"


def test_everything_that_can_be_asked_for_arrives(urls: Urls) -> None:
    options = ["--for", "1min", "--share", "10%", "--endpoint", "payment_intents.create", "--ramp", "5s"]
    options += ["--match", "currency=EUR,usd", "--match", "card=4000 00", "--param", "status=503"]
    assert (
        fault("add", "stripe", "http_error", *options, "--flap", "2s,3s", "--repeat", "2min,3").exit_code == 0
    )
    (listed,) = AdminClient(urls["stripe-admin"]).faults()["faults"]
    assert listed["match"] == {"currency": ["EUR", "USD"], "card": ["400000"]}
    assert (listed["share"], listed["ramp"], listed["params"]) == ("10%", "5s", {"status": 503})
    assert (listed["flap"], listed["repeat"]) == ({"on": "2s", "off": "3s"}, {"every": "2min", "times": 3})
    assert touches(listed) == (
        "10% of payment_intents.create currency=EUR,USD card=400000, status=503, 2s on and 3s off by turns, "
        "growing for 5s, 3 times, one every 2min"
    )
    assert listed["id"] in fault("list").output


def test_clear_ends_all_and_says_so_twice(urls: Urls) -> None:
    for target in ("stripe", "adyen"):
        assert fault("add", target, "outage").exit_code == 0
    done = fault("clear")
    assert done.exit_code == 0 and done.output.count("cleared ") == 2
    assert health(urls["stripe"]) == health(urls["adyen"]) == 200
    done = fault("clear")
    assert done.exit_code == 0 and done.output == "no fault was on\n"


def test_a_server_that_is_gone_keeps_no_other_from_being_cleared(urls: Urls, unused_port: int) -> None:
    assert fault("add", "stripe", "outage").exit_code == 0
    gone = f"http://127.0.0.1:{unused_port}"
    client = AdminClient(gone)
    with pytest.raises(UnreachableError, match="nothing listens"):
        client.faults()
    done = fault("clear", "--admin", gone, "--admin", urls["stripe-admin"])
    assert done.exit_code == 4 and "nothing listens" in done.stderr
    assert "cleared stripe-" in done.stdout and health(urls["stripe"]) == 200


@pytest.fixture
def unused_port() -> Iterator[int]:
    """Bound, so that nobody else takes it, but nothing listens on it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "stripe", "outrage"], "fault: there is no fault 'outrage'; the faults are outage"),
        (
            ["add", "paypal", "outage"],
            "no 'paypal' is running with an admin interface; there is stripe, adyen",
        ),
        (["add", "stripe", "outage", "--for", "20"], "for: 20 has no unit; write 20s"),
        (["add", "stripe", "outage", "--for", "2h"], "1h at most"),
        (["add", "stripe", "outage", "--share", "10"], "share: 10 has no unit; write 10%"),
        (["add", "stripe", "outage", "--match", "EUR"], "--match EUR: write it as NAME=VALUE"),
        (["add", "stripe", "outage", "--match", "colour=red"], "match: there is no 'colour'"),
        (["add", "stripe", "outage", "--flap", "2s"], "--flap 2s: write two values"),
        (["add", "stripe", "outage", "--repeat", "2min,often"], "repeat.times: must be a whole number"),
        (
            ["add", "stripe", "http_error", "--param", "status=200"],
            "params.status: must be an HTTP error status",
        ),
        (["add", "stripe", "http_error", "--param", "status="], "--param status=: write it as NAME=VALUE"),
        (["add", "stripe", "outage", "--endpoint", "nowhere"], "endpoint: there is no endpoint 'nowhere'"),
        (["clear", "stripe-999"], "there is no fault 'stripe-999'; there is none at all"),
        (
            ["list", "--admin", "12100"],
            "--admin: 12100 is no admin URL; write it like http://127.0.0.1:12100",
        ),
        (["list", "--admin", "http://staging.example:12100"], "staging.example is not this machine"),
        (["about", "outrage"], "there is no fault 'outrage'; did you mean outage?"),
    ],
)
def test_mistakes_are_named(urls: Urls, arguments: list[str], said: str) -> None:
    done = fault(*arguments)
    assert done.exit_code == 2 and said in done.stderr
    assert fault("list").output == "no fault is on stripe, adyen\n"


def test_where_nothing_runs_it_is_said_how_to_start_something(
    monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    monkeypatch.setattr(paydrill.fault, "PORTS", (unused_port,))
    for arguments in (["add", "stripe", "outage"], ["list"], ["clear"]):
        done = fault(*arguments)
        assert done.exit_code == 4 and "paydrill mock stripe --admin" in done.stderr


def test_what_is_no_mock_is_passed_over() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.answer(200, b'{"faults": "everywhere"}')

    with Serving(answer) as other:
        assert running((other.port,)) == []
        done = fault("list", "--admin", f"http://127.0.0.1:{other.port}")
        assert done.exit_code == 4 and "no mock or proxy of paydrill" in done.stderr


def test_the_script_itself(urls: Urls) -> None:
    command = [sys.executable, "-m", "paydrill", "fault", "add", "adyen", "latency", "--param", "add=2s"]
    done = subprocess.run(
        [*command, "--admin", urls["adyen-admin"]], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and "is on, for 5min" in done.stdout
    (listed,) = AdminClient(urls["adyen-admin"]).faults()["faults"]
    assert listed["params"] == {"add": "2s"}


def test_the_faults_that_there_are() -> None:
    lines = fault("about").output.splitlines()
    assert [line.split()[0] for line in lines] == list(FAULTS)
    assert all(len(line.split()) > 2 for line in lines)
    for name, kind in FAULTS.items():
        told = fault("about", name).output
        assert "Stands for" in told
        assert all(f"  {parameter} (" in told for parameter in kind.PARAMETERS)


@pytest.mark.parametrize(
    ("left_s", "text"),
    [
        (0, "0s"),
        (0.04, "0s"),
        (19.96, "20s"),
        (59.94, "59.9s"),
        (60, "1min"),
        (299.6, "5min"),
        (3599, "59min 59s"),
    ],
)
def test_the_time_left(left_s: float, text: str) -> None:
    assert time_left({"left_s": left_s}) == text


def test_what_a_plain_fault_touches() -> None:
    assert touches({}) == "all requests"
    assert touches({"share": "5%"}) == "5% of all requests"
