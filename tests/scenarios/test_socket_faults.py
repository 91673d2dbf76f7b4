"""Faults of the socket in a scenario: their words, and what `paydrill check` says of those that cannot be."""

from __future__ import annotations

import pytest

from paydrill import plans
from scenarios.reading import parse
from tests.scenarios.test_reading import problems
from tests.scenarios.test_webhook_faults import with_fault


@pytest.mark.parametrize(
    ("words", "params"),
    [
        ("fault: reset, params: {when: answer}", {"when": "answer"}),
        ("fault: black_hole, share: 10%, endpoint: refunds.create", {}),
        ("fault: black_hole, params: {reads: nothing}", {"reads": "nothing"}),
        ("fault: slow_close, params: {delay: 2s, header: close}", {"delay": 2 * 10**9, "header": "close"}),
        ("fault: bandwidth, params: {rate: 500}", {"rate": 500}),
        ("fault: slicer, params: {size: 3, pause: 5ms}", {"size": 3, "pause": 5_000_000}),
        ("fault: truncated_body, params: {keep: 25%, end: reset}", {"keep": 0.25, "end": "reset"}),
    ],
)
def test_they_are_faults_like_others(words: str, params: dict[str, object]) -> None:
    scenario = parse(with_fault(f"on: stripe, {words}"), "good.yaml")
    (fault,) = plans.gateway(scenario, "stripe", None)["faults"]
    assert fault["params"] == params


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("fault: reset, params: {when: never}", "arrival or answer or body"),
        ("fault: bandwidth, params: {rate: 0}", "above 0"),
        ("fault: slicer, params: {size: 0}", "at least 1 byte"),
        ("fault: slicer, params: {size: 1.5}", "whole number"),
        ("fault: truncated_body, params: {keep: 100%}", "below 100%"),
        ("fault: black_hole, params: {reads: nothing}, share: 50%", "requests cannot be chosen"),
        (
            "fault: black_hole, params: {reads: nothing}, endpoint: refunds.create",
            "requests cannot be chosen",
        ),
        ("fault: black_hole, params: {reads: nothing}, match: {currency: EUR}", "requests cannot be chosen"),
        ("fault: black_hole, params: {reads: nothing}, ramp: 1s", "requests cannot be chosen"),
        ("fault: tls_handshake_failure", "serve no TLS"),
        ("fault: expired_certificate, params: {flaw: other_name}", "serve no TLS"),
    ],
)
def test_what_cannot_be_is_said_before_anything_starts(words: str, said: str) -> None:
    (problem,) = problems(with_fault(f"on: stripe, {words}"))
    assert "bad.yaml:" in problem and said in problem
