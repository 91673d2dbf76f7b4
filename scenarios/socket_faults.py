"""Faults of the socket and of TLS that a drill's gateways cannot have."""

from __future__ import annotations

from collections.abc import Iterator

from mocks.faults import FAULTS
from mocks.faults.tls_fault import TlsFault
from scenarios.finding import Finding, reads
from scenarios.schema import Fault, Scenario


@reads("faults")
def _there_is_tls_to_fail(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        kind = FAULTS.get(fault.fault)
        if kind is not None and issubclass(kind, TlsFault):
            yield Finding(
                ("faults", number, "fault"),
                f"the gateways of a drill serve no TLS, so {fault.fault} could touch nothing",
                "put it on `paydrill mock --tls` or on a proxy with TLS, by `paydrill fault add`",
            )


@reads("faults")
def _what_is_not_read_is_not_chosen(scenario: Scenario) -> Iterator[Finding]:
    for number, fault in enumerate(scenario.faults):
        if fault.fault != "black_hole" or fault.params.get("reads") != "nothing":
            continue
        for key in ("endpoint", "share", "match", "ramp"):
            if getattr(fault, key) != Fault.model_fields[key].get_default(call_default_factory=True):
                yield Finding(
                    ("faults", number, key),
                    "with reads: nothing, requests cannot be chosen: none is read",
                    f"leave {key} out, or choose reads: requests",
                )


CHECKS = (_there_is_tls_to_fail, _what_is_not_read_is_not_chosen)
