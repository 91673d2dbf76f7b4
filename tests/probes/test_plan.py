"""The registry and the plans: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from journal.clock import SECOND
from probes import PROBES
from probes.plan import from_message, planned
from probes.probe import Parameter

URL = "http://127.0.0.1:1/"


def test_the_registry_knows_its_probes_and_each_has_its_function() -> None:
    assert set(PROBES) == {"http", "payment"}
    for name, kind in PROBES.items():
        assert kind.name == name
        assert kind.about
        assert callable(kind.function())
        for parameter in kind.parameters.values():
            assert parameter.complaint(parameter.default) is None


def test_names_and_parameters_can_be_checked_without_an_http_library() -> None:
    code = "import sys, probes; probes.PROBES['http'].complete({'status': 204}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"httpx", "pyarrow", "uvloop"} & set(done.stdout.split())


def test_defaults() -> None:
    plan = planned("payment", "platform", URL)
    assert (plan.every_ns, plan.recheck_ns, plan.timeout_ns) == (SECOND, SECOND // 10, 2 * SECOND)
    assert plan.params == {
        "amount_minor": 100,
        "currency": "EUR",
        "method": "card",
        "instrument": "card_visa",
    }
    http = planned("http", "stripe", URL, params={"status": 204})
    assert http.params == {"status": 204, "contains": None, "within": None, "reuse_connection": False}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"probe": "htttp"}, "no probe 'htttp'; there is http, payment"),
        ({"params": {"statsu": 200}}, "no parameter statsu; did you mean status"),
        ({"params": {"zzz": 200}}, "no parameter zzz; it has status, contains"),
        ({"params": {"status": "200"}}, "status must be a whole number, not '200'"),
        ({"params": {"status": True}}, "status must be a whole number"),
        ({"params": {"status": None}}, "status must be a whole number"),
        ({"params": {"status": 99}}, "status must be at least 100"),
        ({"params": {"status": 600}}, "status must be at most 599"),
        ({"params": {"within": 0}}, "within must be at least 1"),
        ({"params": {"contains": 7}}, "contains must be a text"),
        ({"params": {"contains": "sk_live_1234"}}, "live credential"),
        ({"params": {"reuse_connection": 1}}, "reuse_connection must be true or false"),
        ({"every_ns": 0}, "every must be longer"),
        ({"recheck_ns": -1}, "recheck must be longer"),
        ({"timeout_ns": 0}, "timeout must be longer"),
        ({"url": "http://staging.example.test/"}, "not this machine"),
    ],
)
def test_a_wrong_plan_is_refused_in_words(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        planned(**{"probe": "http", "target": "stripe", "url": URL, **arguments})


def test_a_recheck_is_never_slower_than_the_rate() -> None:
    assert planned("http", "x", URL, every_ns=SECOND, recheck_ns=5 * SECOND).recheck_ns == SECOND


def test_a_message_of_the_conductor() -> None:
    message = {
        "probe": "http",
        "target": "stripe",
        "url": "http://staging.example.test/",
        "every_ns": 5,
        "recheck_ns": None,
        "timeout_ns": 7,
        "params": {"status": 204},
    }
    plan = from_message(message, {"staging.example.test": 1.0})
    assert (plan.type.name, plan.target, plan.every_ns, plan.timeout_ns) == ("http", "stripe", 5, 7)
    assert plan.params["status"] == 204


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ({"probe": "http", "target": "x"}, "needs url"),
        ({"probe": "http", "target": "x", "url": URL, "evry_ns": 1}, "has no evry_ns"),
        ({"probe": "http", "target": "x", "url": URL, "every_ns": "1s"}, "every_ns is '1s'"),
        ({"probe": "http", "target": "x", "url": URL, "every_ns": True}, "every_ns is True"),
        ({"probe": "http", "target": 3, "url": URL}, "target is 3"),
    ],
)
def test_a_malformed_message_is_refused_in_words(message: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        from_message(message)


def test_a_parameter_that_is_off_by_default_may_be_off() -> None:
    assert Parameter("duration", None, "").complaint(None) is None
    assert Parameter("flag", False, "").complaint(None) is not None
