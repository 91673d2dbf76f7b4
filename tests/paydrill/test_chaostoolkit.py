"""The Chaos Toolkit's actions and probes as functions, against mocks that run; without the Chaos Toolkit."""

from __future__ import annotations

import http.client
import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from paydrill.admin_client import AdminError, UnreachableError
from paydrill.chaostoolkit.actions import add_fault, clear_faults
from paydrill.chaostoolkit.probes import (
    MoneyError,
    faults_are_clear,
    money_is_whole,
    success_rate,
    success_rate_holds,
)
from tests.mocks.running import stripe_call, stripe_payment
from tests.paydrill.commands import mocking

ROOT = Path(__file__).parents[2]
EXPERIMENT = json.loads((ROOT / "docs" / "chaos-experiment.json").read_text())


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    with mocking("stripe:0", "adyen:0", "platform:0", latency="1ms,2ms") as urls:
        yield urls


@pytest.fixture
def configuration(urls: dict[str, str]) -> Iterator[dict[str, Any]]:
    admins = [urls["stripe-admin"], urls["adyen-admin"]]
    given = {"paydrill_admin": admins, "paydrill_platform": urls["platform"]}
    yield given
    clear_faults(configuration=given)


def test_a_fault_is_added_seen_and_cleared(configuration: dict[str, Any]) -> None:
    assert faults_are_clear(configuration)
    added = add_fault(
        "adyen",
        "http_error",
        lasts="20s",
        share="50%",
        endpoint="payments",
        match={"currency": "EUR"},
        params={"status": 503},
        flap={"on": "2s", "off": "3s"},
        ramp="5s",
        repeat={"every": "30s", "times": 2},
        configuration=configuration,
    )
    assert added["on"] == "adyen" and added["match"] == {"currency": ["EUR"]} and added["ramp"] == "5s"
    assert not faults_are_clear(configuration)
    assert clear_faults("stripe", configuration=configuration) == []
    assert clear_faults(configuration=configuration) == [added["id"]]
    assert clear_faults(configuration=configuration) == []
    assert faults_are_clear(configuration)


def test_what_is_wrong_fails_the_activity_with_its_reason(configuration: dict[str, Any]) -> None:
    with pytest.raises(AdminError, match="the faults are outage"):
        add_fault("stripe", "outrage", configuration=configuration)
    with pytest.raises(UnreachableError, match="only stripe, adyen"):
        add_fault("paypal", "outage", configuration=configuration)
    with pytest.raises(ValueError, match="wants a token"):
        faults_are_clear({"paydrill_admin": "http://staging.example:12100"})
    with pytest.raises(ValueError, match="no payment is sent elsewhere"):
        success_rate(configuration={"paydrill_platform": "https://shop.example"})
    with pytest.raises(ValueError, match="instrument"):
        success_rate(1, instrument="card_unheard_of", configuration=configuration)
    for share in ("98", "0.98", "101%", "98 percent"):
        with pytest.raises(ValueError, match="at_least"):
            success_rate_holds(share, configuration=configuration)


def test_a_gateway_that_is_gone_keeps_no_other_from_being_cleared(
    configuration: dict[str, Any], urls: dict[str, str]
) -> None:
    add_fault("stripe", "outage", configuration=configuration)
    with pytest.raises(UnreachableError):
        clear_faults(configuration={"paydrill_admin": f"http://127.0.0.1:1,{urls['stripe-admin']}"})
    assert faults_are_clear(configuration)


def test_the_success_rate_with_one_gateway_and_with_none(configuration: dict[str, Any]) -> None:
    assert success_rate(10, configuration=configuration) == 1
    add_fault("stripe", "outage", configuration=configuration)
    assert success_rate_holds("90%", 20, configuration=configuration)
    add_fault("adyen", "outage", configuration=configuration)
    assert success_rate(10, configuration=configuration) == 0
    assert not success_rate_holds("1%", 10, configuration=configuration)


def test_money_that_only_a_gateway_knows_of_is_found(
    configuration: dict[str, Any], urls: dict[str, str]
) -> None:
    clear_faults(configuration=configuration)
    assert money_is_whole(configuration=configuration)
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(urls["stripe"]).port or 0, timeout=20)
    try:
        stripe_call(connection, "POST", "/v1/payment_intents", stripe_payment("orphan-1"))
    finally:
        connection.close()
    with pytest.raises(MoneyError, match=r"orphan-1, 1290 EUR .* at stripe: once in the gateway's"):
        money_is_whole(0, configuration=configuration)


def test_the_example_names_functions_and_arguments_that_there_are() -> None:
    activities = [
        *EXPERIMENT["steady-state-hypothesis"]["probes"],
        *EXPERIMENT["method"],
        *EXPERIMENT["rollbacks"],
    ]
    assert len(activities) == 6
    for activity in activities:
        provider = activity["provider"]
        module = importlib.import_module(provider["module"])
        assert provider["func"] in module.__all__
        inspect.signature(getattr(module, provider["func"])).bind(**provider.get("arguments", {}))


def test_the_extension_needs_nothing_but_the_standard_library() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
        "import paydrill.chaostoolkit.actions, paydrill.chaostoolkit.probes"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
